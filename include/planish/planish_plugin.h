/* Planish, C interface: operators that users add at run time.
 *
 * A plugin type is a table of functions, registered once a process before a network uses it and before a plan
 * that uses it is loaded. A plugin is one instance: it is made from attributes when a network is built,
 * written to the plan as bytes, and made again from those bytes, once for each context, when the plan runs.
 *
 * Functions return 0, or another number after fail(sink, text) has said why in one sentence; the text arrives
 * in planish_last_error() of the call that led there. They must not throw. An instance is used by one thread
 * at a time; the table's own functions (create, deserialize) may be called from any thread.
 */
#ifndef PLANISH_PLANISH_PLUGIN_H
#define PLANISH_PLANISH_PLUGIN_H

#include "planish/planish.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the table below. A table of a newer version than the library's is refused. */
#define PLANISH_PLUGIN_ABI 1

/* Which of the fields after it an attribute uses. */
typedef int32_t planish_attr_kind;
enum {
  PLANISH_ATTR_INT = 0,     /* integer */
  PLANISH_ATTR_FLOAT = 1,   /* number */
  PLANISH_ATTR_STRING = 2,  /* text */
  PLANISH_ATTR_TYPE = 3,    /* dtype */
  PLANISH_ATTR_INTS = 4,    /* integers, count */
  PLANISH_ATTR_FLOATS = 5,  /* numbers, count */
  PLANISH_ATTR_STRINGS = 6, /* texts, count */
  PLANISH_ATTR_TENSOR = 7   /* dtype, extents (integers, count), data */
};
typedef struct planish_attr {
  size_t struct_size;
  const char* name;
  planish_attr_kind kind;
  planish_dtype dtype;
  int64_t integer;
  double number;
  const char* text;
  const int64_t* integers;
  const double* numbers;
  const char* const* texts;
  size_t count;
  const void* data;
} planish_attr;

/* Strided elements. Strides count elements. */
typedef struct planish_view {
  void* data;
  planish_dtype dtype; /* PLANISH_NONE: an operand that is absent */
  int32_t rank;
  const int64_t* extents;
  const int64_t* strides;
} planish_view;

/* Divides [0, n) among the library's threads in blocks of at least `grain`; returns when all are done. */
typedef void (*planish_range_fn)(void* user, int64_t begin, int64_t end);

typedef struct planish_plugin_call {
  size_t struct_size;
  const planish_view* inputs;
  size_t input_count;
  const planish_view* outputs; /* dense and row-major */
  size_t output_count;
  void* workspace; /* of as many bytes as `workspace` asked for, aligned to 64; data of views is NULL in that call */
  void (*parallel_for)(const struct planish_plugin_call* call, int64_t n, int64_t grain, planish_range_fn body,
                       void* user);
  void* pool; /* the library's */
  /* on_device 1: operands, results and workspace are memory of a GPU; the work goes onto `stream` (CUstream,
   * cudaStream_t) and is not waited for. */
  void* stream;
  int32_t on_device;
} planish_plugin_call;

/* Takes what a function says; `text` is copied. */
typedef struct planish_sink planish_sink;
typedef void (*planish_say_fn)(planish_sink* sink, const char* text, size_t size);

typedef struct planish_plugin_type {
  size_t struct_size;
  int32_t abi;         /* PLANISH_PLUGIN_ABI */
  int32_t version;     /* of what the plugin computes: a plan runs with the version it was built with only */
  const char* name;    /* copied */
  void* user;          /* first argument of create and deserialize */
  int32_t any_strides; /* 0: inputs are dense and row-major */

  int32_t (*create)(void* user, const planish_attr* attrs, size_t count, void** plugin, planish_say_fn fail,
                    planish_sink* sink);
  int32_t (*deserialize)(void* user, const void* bytes, size_t size, void** plugin, planish_say_fn fail,
                         planish_sink* sink);
  void (*destroy)(void* plugin);
  /* Says the bytes from which deserialize makes an equal instance, in one or more pieces. */
  int32_t (*serialize)(void* plugin, planish_say_fn write, planish_say_fn fail, planish_sink* sink);
  /* Says the type of every result, one call of `write` each, as text: "f32[N,2*C,H]". Operands come in the same
   * form ("" when absent); extents are numbers, names, or expressions with + - *, floor_div(a, b),
   * ceil_div(a, b), mod(a, b), min(a, b), max(a, b). */
  int32_t (*infer)(void* plugin, const char* const* inputs, size_t count, planish_say_fn write, planish_say_fn fail,
                   planish_sink* sink);
  /* Scratch bytes for these extents; NULL: none. Must not shrink when extents grow. */
  int64_t (*workspace)(void* plugin, const planish_plugin_call* call);
  int32_t (*run)(void* plugin, const planish_plugin_call* call, planish_say_fn fail, planish_sink* sink);
  void (*release)(void* user); /* the type was unregistered and no instance is left; NULL: nothing to do */

  /* Of a type that stands for many: 1 when a node of a model that no one else knows, of this type and with these
   * attributes, is one of them. Its create then finds the node's type as the text PLANISH_ATTR_NODE_TYPE among the
   * attributes. NULL: it stands for itself. */
  int32_t (*stands_for)(void* user, const char* node_type, const planish_attr* attrs, size_t count);

  int32_t on_device; /* 1: plans for a GPU run it there; 0: on the host, between copies */
} planish_plugin_type;

#define PLANISH_ATTR_NODE_TYPE "planish.node_type"

/* PLANISH_INVALID_ARGUMENT: incomplete, or the name is taken; PLANISH_MISMATCH: its abi is not accepted. */
PLANISH_API planish_status planish_plugin_register(const planish_plugin_type* type);
/* Engines that use it keep it. PLANISH_NOT_FOUND: there is none of that name. */
PLANISH_API planish_status planish_plugin_unregister(const char* name);

/* What a library of plugins exports as `planish_register_plugins`: gives each of its types to `add`, which answers
 * PLANISH_INVALID_STATE where that name is registered already, and returns 0, or what `add` returned. `path` is the
 * library that was asked for. */
typedef planish_status (*planish_plugin_add_fn)(const planish_plugin_type* type);
typedef planish_status (*planish_register_plugins_fn)(const char* path, planish_plugin_add_fn add);
/* Loads a library and has it register its types: by its own planish_register_plugins, or by that of a library it is
 * linked with. Plugins of TensorRT's interface come so through its libnvinfer. It stays loaded.
 * PLANISH_NOT_FOUND: it cannot be loaded; PLANISH_INVALID_ARGUMENT: it has no such function. */
PLANISH_API planish_status planish_plugin_load_library(const char* path);

#ifdef __cplusplus
}
#endif

#endif
