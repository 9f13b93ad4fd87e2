/* Planish, C interface: load a plan and run it. Library: planish_runtime (or planish, which contains it).
 *
 * Stability. This header is append-only. Structs begin with `struct_size`, which the caller sets to sizeof of
 * the struct it was compiled with (0 is refused); fields are added at the end only, and a field beyond
 * struct_size has its default, which is zero. A struct_size beyond the library's own struct is that of a newer header:
 * it is accepted where the fields that the library does not know are zero, and refused where they are not; of a struct
 * that the library fills they become zero. Enumerators keep their values.
 *
 * Errors. Calls return a planish_status; PLANISH_OK is 0. On failure planish_last_error() of the same thread
 * says in one sentence what was found and what is accepted; out-parameters are then untouched. No call
 * throws. A NULL object is PLANISH_INVALID_ARGUMENT; destroying NULL does nothing.
 *
 * Ownership. What a *_create, *_load or *_from_* call returns belongs to the caller until its *_destroy. A
 * context, stream or event keeps what it needs of its engine or device alive, so any order of destruction is
 * right; planish_context_destroy waits for the work of its context that streams still have.
 *
 * Threads. An engine or a device may be used from any thread. A context serves one thread at a time: a second
 * one gets PLANISH_BUSY, never undefined behaviour. Streams and events may be used from any thread.
 *
 * Tensors are dense and row-major ([N, C, H, W] for pictures); extents and strides count elements, sizes count
 * bytes. Memory that is bound belongs to the caller and must live until the execution has ended.
 */
#ifndef PLANISH_PLANISH_H
#define PLANISH_PLANISH_H

#include <stddef.h>
#include <stdint.h>

#include "planish/version.h"

#if defined(__GNUC__)
#define PLANISH_API __attribute__((visibility("default")))
#else
#define PLANISH_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t planish_status;
enum {
  PLANISH_OK = 0,
  PLANISH_INVALID_ARGUMENT = 1, /* the caller's value is wrong */
  PLANISH_INVALID_MODEL = 2,    /* a model contradicts itself or its format */
  PLANISH_INVALID_PLAN = 3,     /* a plan is damaged, or of another version */
  PLANISH_UNSUPPORTED = 4,      /* well formed, but nothing here does it */
  PLANISH_NOT_FOUND = 5,        /* a file or a name does not exist */
  PLANISH_IO = 6,               /* the operating system refused */
  PLANISH_OUT_OF_MEMORY = 7,
  PLANISH_INVALID_STATE = 8, /* calls in the wrong order */
  PLANISH_BUSY = 9,          /* the object is in use by another thread, or by work on a stream */
  PLANISH_MISMATCH = 10,     /* built for another machine, or a plugin or kernel is missing */
  PLANISH_CANCELLED = 11,
  PLANISH_INTERNAL = 12
};

typedef int32_t planish_dtype;
enum {
  PLANISH_NONE = 0,
  PLANISH_F32 = 1,
  PLANISH_F64 = 2,
  PLANISH_F16 = 3,
  PLANISH_BF16 = 4,
  PLANISH_I8 = 5,
  PLANISH_U8 = 6,
  PLANISH_I16 = 7,
  PLANISH_U16 = 8,
  PLANISH_I32 = 9,
  PLANISH_U32 = 10,
  PLANISH_I64 = 11,
  PLANISH_U64 = 12,
  PLANISH_BOOL = 13, /* one byte, 0 or 1 */
  PLANISH_STRING = 14,
  /* Stored, cast and quantised, not computed with. Each element has a byte of its own, its code in the low bits; upper
     bits are not read, and written as the sign (I4, I2) or 0. */
  PLANISH_F8E4M3FN = 15,
  PLANISH_F8E4M3FNUZ = 16,
  PLANISH_F8E5M2 = 17,
  PLANISH_F8E5M2FNUZ = 18,
  PLANISH_F8E8M0 = 19,
  PLANISH_F4E2M1 = 20,
  PLANISH_I4 = 21,
  PLANISH_U4 = 22,
  PLANISH_I2 = 23,
  PLANISH_U2 = 24
};

#define PLANISH_MAX_RANK 10

typedef struct planish_device planish_device;
typedef struct planish_plan planish_plan;
typedef struct planish_engine planish_engine;
typedef struct planish_context planish_context;
typedef struct planish_stream planish_stream;
typedef struct planish_event planish_event;
typedef struct planish_memory planish_memory;

/* ---- the library ------------------------------------------------------------------------------------ */

/* "0.1.0", of the library that is loaded (PLANISH_VERSION_STRING is that of this header). */
PLANISH_API const char* planish_version(void);

/* The sentence of the last call that failed in this thread; "" when none did. Valid until the next failure. */
PLANISH_API const char* planish_last_error(void);

PLANISH_API const char* planish_status_name(planish_status status); /* "invalid_argument", …; static */
PLANISH_API const char* planish_dtype_name(planish_dtype type);     /* "f32", …; static */
PLANISH_API size_t planish_dtype_bytes(planish_dtype type);         /* 0 for PLANISH_NONE and PLANISH_STRING */

typedef int32_t planish_severity;
enum { PLANISH_LOG_ERROR = 0, PLANISH_LOG_WARNING = 1, PLANISH_LOG_INFO = 2, PLANISH_LOG_VERBOSE = 3 };
typedef void (*planish_log_fn)(void* user, planish_severity severity, const char* text);

/* Where messages up to `level` go from now on, for the whole process. NULL: nowhere. Until the first call
 * errors and warnings go to stderr. The sink may be called from any thread, one call at a time. */
PLANISH_API planish_status planish_set_log(planish_log_fn sink, void* user, planish_severity level);

/* ---- devices: threads and memory -------------------------------------------------------------------- */

/* Memory that the device computes in: of the processor, a context's intermediate values; of a GPU, all that is taken of
 * its memory (weights when an engine is made, intermediate values when a context is). `release` gets what `allocate`
 * returned. `alignment` is a power of two. NULL means out of memory. Any thread may call. */
typedef struct planish_allocator {
  size_t struct_size;
  void* user;
  void* (*allocate)(void* user, size_t bytes, size_t alignment);
  void (*release)(void* user, void* memory, size_t bytes);
} planish_allocator;

typedef struct planish_device_options {
  size_t struct_size;
  int32_t threads; /* that take part in an execution, the caller's included; 0: one per usable core */
  const planish_allocator*
      allocator;    /* copied; its functions must stay valid while the device lives. NULL: the system */
  const char* kind; /* "cpu", "cuda", "cuda:1", or "auto": what the environment's PLANISH_DEVICE names, else a GPU where
                       there is one. NULL: cpu */
  const int32_t* processors; /* that the pool's own threads run on; the caller's stays where it is. NULL: any */
  size_t processor_count;
} planish_device_options;

/* The CPU with a pool of threads, or a GPU with one beside it. Engines on one device share the pool. `options` may be
 * NULL. PLANISH_UNSUPPORTED says why there is no GPU. */
PLANISH_API planish_status planish_device_create(const planish_device_options* options, planish_device** device);
PLANISH_API void planish_device_destroy(planish_device* device);
/* 1: a device of this kind can be asked for here; 0: planish_last_error says why not. */
PLANISH_API int32_t planish_device_is_there(const char* kind);
PLANISH_API int32_t planish_device_threads(const planish_device* device);
PLANISH_API const char* planish_device_name(const planish_device* device); /* valid while the device lives */

typedef int32_t planish_memory_kind;
enum {
  PLANISH_MEMORY_DEVICE = 0, /* where the device computes: of a GPU, its own */
  PLANISH_MEMORY_HOST = 1    /* of the host; beside a GPU pinned: copies from and to it are not waited for */
};
/* Aligned to 64 bytes at least. PLANISH_OUT_OF_MEMORY says what is needed and what is free. */
PLANISH_API planish_status planish_memory_create(planish_device* device, planish_memory_kind kind, size_t bytes,
                                                 planish_memory** memory);
PLANISH_API void* planish_memory_data(const planish_memory* memory);
/* Nothing may use it any more. */
PLANISH_API void planish_memory_destroy(planish_memory* memory);

/* ---- engines: a plan, ready to run ------------------------------------------------------------------ */

/* Index and structure are always checked before anything is used. This skips the checksum over the constants:
 * loading then takes the time of the index alone. For plans from a trusted, verified place. */
#define PLANISH_LOAD_TRUST_CONSTANTS 1u
/* planish_engine_from_memory: use the caller's memory in place. It must be aligned to 64 bytes and live, and
 * stay unchanged, until `release` is called (or, without one, as long as the engine and its contexts). */
#define PLANISH_LOAD_BORROW 2u

typedef struct planish_load_options {
  size_t struct_size;
  planish_device* device; /* NULL: a new one, with `threads`, of the kind that the plan is for */
  int32_t threads;
  uint32_t flags;              /* PLANISH_LOAD_… */
  void (*release)(void* user); /* with PLANISH_LOAD_BORROW: not needed any more; not called when loading fails */
  void* release_user;
} planish_load_options;

/* Maps the plan file; its constants stay in the page cache and are shared between processes. `options` may be
 * NULL. PLANISH_INVALID_PLAN: damaged or of another format version; PLANISH_MISMATCH: needs instructions,
 * kernels or plugins that are not here. */
PLANISH_API planish_status planish_engine_load(const char* path, const planish_load_options* options,
                                               planish_engine** engine);
/* Copies the bytes unless PLANISH_LOAD_BORROW is given. */
PLANISH_API planish_status planish_engine_from_memory(const void* bytes, size_t size,
                                                      const planish_load_options* options, planish_engine** engine);
/* Shares the plan's memory; the plan may be destroyed afterwards. */
PLANISH_API planish_status planish_engine_from_plan(const planish_plan* plan, const planish_load_options* options,
                                                    planish_engine** engine);
PLANISH_API void planish_engine_destroy(planish_engine* engine);

/* Texts are valid while the engine lives. */
typedef struct planish_engine_info {
  size_t struct_size;
  const char* model;    /* name of what was built */
  const char* producer; /* "planish 0.1.0" */
  const char* target;   /* "cpu" */
  const char* isa;      /* "scalar", "avx2", "avx2_vnni", "avx512", "avx512_vnni", "avx512_bf16", "amx" */
  int32_t binding_count;
  int32_t profile_count;
  int64_t constant_bytes; /* shared by all contexts */
} planish_engine_info;
PLANISH_API planish_status planish_engine_get_info(const planish_engine* engine, planish_engine_info* info);

/* An input or output. Extents that the shapes given at run time decide are -1; `type` has them as expressions
 * ("f32[N,3,224,224]"). Texts are valid while the engine lives. */
typedef struct planish_binding_info {
  size_t struct_size;
  const char* name;
  const char* type;
  int32_t is_input;
  planish_dtype dtype;
  int32_t rank;
  int64_t extents[PLANISH_MAX_RANK];
} planish_binding_info;

/* Bindings are numbered from 0, inputs first, in the model's order. */
PLANISH_API planish_status planish_engine_get_binding(const planish_engine* engine, int32_t index,
                                                      planish_binding_info* info);
PLANISH_API int32_t planish_engine_find_binding(const planish_engine* engine, const char* name); /* -1: none */
/* Extents that `profile` accepts (inputs) or yields (outputs); each array takes PLANISH_MAX_RANK numbers or is NULL. */
PLANISH_API planish_status planish_engine_get_range(const planish_engine* engine, int32_t profile, int32_t index,
                                                    int64_t* min, int64_t* opt, int64_t* max);
/* Bytes of intermediate values that a context of this profile needs, in memory of the device that the plan is for. */
PLANISH_API planish_status planish_engine_get_arena_bytes(const planish_engine* engine, int32_t profile,
                                                          int64_t* bytes);

/* The text that the plan carries under `key` (of planish_build_options.notes, and of the library's own); NULL: none.
 * Valid while the engine lives. */
PLANISH_API const char* planish_engine_get_note(const planish_engine* engine, const char* key);

/* A step of a profile, in the order of execution; steps inside of loops and branches are not counted. Texts are valid
 * while the engine lives. */
typedef struct planish_step_info {
  size_t struct_size;
  uint32_t id;
  const char* name;   /* of the model's nodes: "conv1 + relu1" */
  const char* op;     /* "conv" */
  const char* kernel; /* that was chosen at build */
  int32_t input_count, output_count;
} planish_step_info;
PLANISH_API int32_t planish_engine_step_count(const planish_engine* engine, int32_t profile); /* -1: no such profile */
PLANISH_API planish_status planish_engine_get_step(const planish_engine* engine, int32_t profile, int32_t index,
                                                   planish_step_info* info);

/* An operand or a result of a step. Extents and strides (elements) are those for the shapes that the profile is tuned
 * for; an extent that data decides is a guess. */
typedef struct planish_step_tensor_info {
  size_t struct_size;
  int32_t buffer;   /* tensors of equal numbers lie in the same memory; -1: an optional operand that is not given */
  int32_t binding;  /* the input or output whose memory it is; -1: of none */
  int32_t constant; /* 1: weights of the plan */
  planish_dtype dtype;
  int32_t rank;
  int64_t extents[PLANISH_MAX_RANK];
  int64_t strides[PLANISH_MAX_RANK];
} planish_step_tensor_info;
/* `index` counts the operands of the step, then its results. */
PLANISH_API planish_status planish_engine_get_step_tensor(const planish_engine* engine, int32_t profile, int32_t step,
                                                          int32_t index, planish_step_tensor_info* info);

/* ---- streams and events ----------------------------------------------------------------------------- */

/* An in-order queue with a thread of its own. Destroying it waits for what was enqueued. */
PLANISH_API planish_status planish_stream_create(planish_device* device, planish_stream** stream);
PLANISH_API planish_status planish_engine_create_stream(planish_engine* engine, planish_stream** stream);
/* A stream of the caller's on a GPU: CUstream or cudaStream_t, of any library; NULL is the default stream. What is
 * enqueued stands in its order. It is not owned: destroying the result leaves it as it is, and it must live until then.
 * PLANISH_INVALID_ARGUMENT: the device is no GPU, or the stream is of another GPU or context. */
PLANISH_API planish_status planish_stream_adopt(planish_device* device, void* native, planish_stream** stream);
PLANISH_API planish_status planish_engine_adopt_stream(planish_engine* engine, void* native, planish_stream** stream);
PLANISH_API void* planish_stream_native(const planish_stream* stream); /* CUstream; NULL: of the processor */
/* Copies in the order of the stream between any memory that the device reaches. Memory of the host that is not pinned
 * may be read or written before the call returns. */
PLANISH_API planish_status planish_stream_copy(planish_stream* stream, void* to, const void* from, size_t bytes);
/* Waits for everything enqueued; the status of the first execution that failed since the last call. */
PLANISH_API planish_status planish_stream_synchronize(planish_stream* stream);
PLANISH_API void planish_stream_destroy(planish_stream* stream);

PLANISH_API planish_status planish_event_create(planish_stream* stream, planish_event** event);
PLANISH_API planish_status planish_event_record(planish_event* event, planish_stream* stream);
PLANISH_API planish_status planish_event_synchronize(planish_event* event);
PLANISH_API planish_status planish_event_query(const planish_event* event, int32_t* reached);
/* Time from `first` to `second`; PLANISH_INVALID_STATE unless both were reached. */
PLANISH_API planish_status planish_event_elapsed(const planish_event* first, const planish_event* second,
                                                 double* milliseconds);
PLANISH_API void planish_event_destroy(planish_event* event);

/* ---- contexts: one execution ------------------------------------------------------------------------ */

typedef struct planish_context_options {
  size_t struct_size;
  int32_t profile;
  /* Memory for intermediate values, aligned to 64 bytes (of a GPU: to 256), that must live as long as the context.
   * Contexts that never run at the same time may share it. NULL: the device's. */
  void* arena;
  size_t arena_bytes; /* PLANISH_INVALID_ARGUMENT when below planish_engine_get_arena_bytes */
} planish_context_options;

/* `options` may be NULL. */
PLANISH_API planish_status planish_context_create(planish_engine* engine, const planish_context_options* options,
                                                  planish_context** context);
/* Waits for what was enqueued, on any stream and device; not for recordings (CUDA graphs) that a caller launches. */
PLANISH_API void planish_context_destroy(planish_context* context);

/* Extents of an input; inputs of fixed extents need no call. Sizes of everything that follows from them are
 * set up when every input was given its extents anew, else when something first needs them. Inputs that share a named
 * extent change one after the other: while they disagree, and after a refused call, running is refused. */
PLANISH_API planish_status planish_context_set_shape(planish_context* context, const char* input,
                                                     const int64_t* extents, int32_t rank);
/* Extents of any binding for the current shapes; `extents` takes PLANISH_MAX_RANK numbers. Of an output whose
 * extents depend on data: those of the last execution. */
PLANISH_API planish_status planish_context_get_shape(const planish_context* context, const char* binding,
                                                     int64_t* extents, int32_t* rank);
/* Bytes that binding takes for the current shapes. */
PLANISH_API planish_status planish_context_get_bytes(const planish_context* context, const char* binding,
                                                     int64_t* bytes);
/* The memory of an input or output, aligned to its elements (else PLANISH_INVALID_ARGUMENT). Inputs are read, outputs
 * are written, at every run. A context on a GPU takes memory of the host, pinned or not, and of any GPU; what lies in
 * its own GPU's memory, aligned to 64 bytes, is read and written in place. */
PLANISH_API planish_status planish_context_bind(planish_context* context, const char* binding, void* memory,
                                                size_t bytes);

/* Runs once. `stream` NULL: in the caller, returns when done. Otherwise returns at once, and the result of the
 * execution is that of planish_stream_synchronize; several executions may be in flight on one stream. On the processor
 * planish_context_set_shape and _bind return PLANISH_BUSY until they ended. Once shapes are set and every thread has
 * taken part in an execution it does not allocate memory. On a GPU all work is put on the stream, and waited for only
 * where a step of the plan computes on the host or memory of the host is not pinned; shapes and memory may be changed
 * as soon as it returns. */
PLANISH_API planish_status planish_context_enqueue(planish_context* context, planish_stream* stream);

/* The data of an output whose extents depend on data, which need not be bound. Valid until the next execution.
 * PLANISH_BUSY while one is in flight. */
PLANISH_API planish_status planish_context_get_output(const planish_context* context, const char* output,
                                                      const void** data);

/* What one step of the plan took in one execution. Texts are valid while the engine lives. */
typedef struct planish_step_timing {
  size_t struct_size;
  uint32_t id;
  const char* name;   /* of the model's nodes: "conv1 + relu1" */
  const char* op;     /* "conv" */
  const char* kernel; /* that was chosen at build */
  double milliseconds;
  int64_t flops, bytes; /* at the current shapes */
} planish_step_timing;
typedef void (*planish_profiler_fn)(void* user, const planish_step_timing* step);

/* Called for every step, in plan order, after each execution, by the thread that executed. NULL: off. */
PLANISH_API planish_status planish_context_set_profiler(planish_context* context, planish_profiler_fn profiler,
                                                        void* user);

/* ---- plans in memory -------------------------------------------------------------------------------- */

/* The bytes of a plan file; valid while the plan lives, aligned to 64. */
PLANISH_API const void* planish_plan_data(const planish_plan* plan);
PLANISH_API size_t planish_plan_bytes(const planish_plan* plan);
/* Writes the file so that it appears whole or not at all (temporary, fsync, rename). */
PLANISH_API planish_status planish_plan_save(const planish_plan* plan, const char* path);
PLANISH_API void planish_plan_destroy(planish_plan* plan);

#ifdef __cplusplus
}
#endif

#endif
