/* Planish, C interface of the building side: networks, and plans made from them. Library: planish.
 *
 * The C++ headers rest on these functions. Rules of planish.h hold (errors, struct_size, ownership); unlike
 * planish.h this header may still change between minor versions. A network serves one thread at a time.
 *
 * Values (tensors) and nodes of a network are numbers that stay valid until the value or node is removed.
 * Operators are those of ONNX (opset 23) in snake_case, with the same operands, attributes and defaults:
 * "conv", "max_pool", "reduce_mean" (exceptions: "matmul", "prelu", "topk", "nonzero", "silu"), and "custom"
 * (planish_network_add_plugin). What stands for several of them (Einsum, Attention, ...) planish_network_expand adds.
 */
#ifndef PLANISH_PLANISH_BUILD_H
#define PLANISH_PLANISH_BUILD_H

#include "planish/planish.h"
#include "planish/planish_plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct planish_network planish_network;
typedef int32_t planish_value; /* -1: an optional operand that is absent */
typedef int32_t planish_node;

/* ---- making networks -------------------------------------------------------------------------------- */

/* Extents of one input that a profile, or an import, serves: legal from min to max, fastest at opt. */
typedef struct planish_range {
  size_t struct_size;
  const char* input;
  int32_t rank;
  const int64_t *min, *opt, *max; /* `rank` numbers each */
} planish_range;

PLANISH_API planish_status planish_network_create(const char* name, planish_network** network);
/* Reads an .onnx file, or a .prototxt whose layers learn nothing. Dynamic axes of inputs take their ranges from
 * `ranges`; those not named there become 1. PLANISH_UNSUPPORTED lists every operator that cannot be taken, with count,
 * first node and reason. */
PLANISH_API planish_status planish_network_import(const char* path, const planish_range* ranges, size_t count,
                                                  planish_network** network);
/* `name` stands in messages. The bytes are copied. */
PLANISH_API planish_status planish_network_import_memory(const void* bytes, size_t size, const char* name,
                                                         const planish_range* ranges, size_t count,
                                                         planish_network** network);

/* A layer of a .prototxt as its caller may make it. */
typedef struct planish_import_blob {
  const int64_t* extents;
  int32_t rank;
  const float* values;
} planish_import_blob;

typedef struct planish_import_layer {
  size_t struct_size;
  const char *name, *type;
  const planish_value* inputs; /* of the network that the callback is given */
  size_t input_count;
  const planish_import_blob* blobs; /* what the layer has learned; valid during the call */
  size_t blob_count;
  size_t output_count;
} planish_import_layer;

/* 1: made, `outputs` holds the output_count values that it added to `network`; 0: the importer shall make it;
 * -1: the import fails. Nothing else may be done with the network. */
typedef int32_t (*planish_import_layer_fn)(void* user, planish_network* network, const planish_import_layer* layer,
                                           planish_value* outputs);

typedef int32_t planish_format;
enum {
  PLANISH_FORMAT_BY_NAME = 0, /* .prototxt: Caffe's; everything else ONNX */
  PLANISH_FORMAT_ONNX = 1,
  PLANISH_FORMAT_CAFFE = 2
};

/* Where an import reads from, and how. */
typedef struct planish_import_options {
  size_t struct_size;
  const char* path;  /* with `bytes`: what messages call them, and where external data lie */
  const void* bytes; /* NULL: the file is read; else the model, copied */
  size_t size;
  const planish_range* ranges; /* extents of a .prototxt's inputs are its own unless these give others */
  size_t range_count;
  int32_t keep_dynamic;      /* 1: dynamic axes without a range stay dynamic; a build needs a range for them */
  const char* weights;       /* of a .prototxt: the path of a .caffemodel; with bytes a name for messages; NULL: none */
  const void* weights_bytes; /* copied; NULL: `weights` is a path */
  size_t weights_size;
  int32_t random_weights; /* 1: seeded values where there are no weights */
  int32_t keep_values; /* of a .prototxt, 1: no output is marked and nothing removed; planish_network_find_value knows
                          every blob by its name (one that layers rewrite in place: its last value) */
  planish_import_layer_fn layer; /* asked for each layer of a .prototxt before the importer; may be NULL */
  void* layer_user;
  planish_format format;
  /* The rest is of Caffe's networks. */
  const char* batch;    /* the first extent of every input has this name, whatever the file says; NULL: the file's */
  int32_t half_weights; /* 1: what is learned is rounded to f16, within its range */
  const planish_network* into; /* the result has all of this network, too, under the same numbers; needs keep_values.
                                  Its values give their names to those that are read */
} planish_import_options;
PLANISH_API planish_status planish_network_import_with(const planish_import_options* options,
                                                       planish_network** network);
/* A mean image (.binaryproto): a file, or `bytes` of that name. `extents` has room for 10 numbers; `values` for as many
 * as `count` says, which becomes how many there are, or is NULL. */
PLANISH_API planish_status planish_read_mean(const char* path, const void* bytes, size_t size, int64_t* extents,
                                             int32_t* rank, float* values, size_t* count);
/* 1: an import takes nodes of this ONNX operator. */
PLANISH_API int32_t planish_network_imports(const char* op);
PLANISH_API planish_status planish_network_clone(const planish_network* network, planish_network** copy);
PLANISH_API void planish_network_destroy(planish_network* network);

/* Extent -1 with symbols[i] NULL (or symbols NULL): dynamic, named after the input and axis. With a name: equal
 * to every other extent of that name. Names are unique among values. */
PLANISH_API planish_status planish_network_add_input(planish_network* network, const char* name, planish_dtype dtype,
                                                     const int64_t* extents, const char* const* symbols, int32_t rank,
                                                     planish_value* value);
/* Copies the data (dense, row-major). `name` may be NULL. */
PLANISH_API planish_status planish_network_add_constant(planish_network* network, const char* name, planish_dtype dtype,
                                                        const int64_t* extents, int32_t rank, const void* data,
                                                        planish_value* value);
/* `name` may be NULL. `output_count` -1: as many as the operator has; needed where attributes do not tell
 * ("split"). Checks operands and attributes, infers the types of the results. */
PLANISH_API planish_status planish_network_add_node(planish_network* network, const char* op, const char* name,
                                                    const planish_value* inputs, size_t input_count,
                                                    const planish_attr* attrs, size_t attr_count, int32_t output_count,
                                                    planish_node* node);
/* A node as one of `source` is, a network that this one was made from or a copy of it, with other operands. Of nodes
 * with bodies and of plugins there are no copies. */
PLANISH_API planish_status planish_network_add_like(planish_network* network, const planish_network* source,
                                                    planish_node like, const char* name, const planish_value* inputs,
                                                    size_t input_count, planish_node* node);
/* "if": operands are the condition and then whatever the bodies take as inputs, in order. Bodies are copied. */
PLANISH_API planish_status planish_network_add_control(planish_network* network, const char* op, const char* name,
                                                       const planish_value* inputs, size_t input_count,
                                                       const planish_attr* attrs, size_t attr_count,
                                                       const planish_network* const* bodies, size_t body_count,
                                                       planish_node* node);
/* Operands: trips (one i64, may be absent), condition (one bool, may be absent), the state, what else the body takes.
 * The body's inputs are the turn (i64), the condition, the state and the rest; its outputs the next condition, the next
 * state, and rows that the turns stack along a new first axis. Results: the state after the last turn, the rows. */
PLANISH_API planish_status planish_network_add_loop(planish_network* network, const char* name,
                                                    const planish_value* inputs, size_t input_count, size_t carried,
                                                    const planish_network* body, planish_node* node);
/* The nodes that an operator of ONNX (its name there, opset 24) becomes: "Einsum", "Attention", ... `outputs` has room
 * for output_count values. */
PLANISH_API planish_status planish_network_expand(planish_network* network, const char* op, const char* name,
                                                  const planish_value* inputs, size_t input_count,
                                                  const planish_attr* attrs, size_t attr_count, int32_t output_count,
                                                  planish_value* outputs);
/* The nodes of another network, whose inputs are the values `inputs`; `outputs` has room for its outputs. */
PLANISH_API planish_status planish_network_append(planish_network* network, const planish_network* other,
                                                  const planish_value* inputs, size_t input_count,
                                                  planish_value* outputs);
/* A network of the nodes that depend on `inputs` and that `outputs` need. Its inputs are `inputs` and then what these
 * nodes take from around them (constants are shared): `captured` (may be NULL) has room for *captured_count values,
 * which becomes how many there are. */
PLANISH_API planish_status planish_network_extract(const planish_network* network, const planish_value* inputs,
                                                   size_t input_count, const planish_value* outputs,
                                                   size_t output_count, planish_network** part, planish_value* captured,
                                                   size_t* captured_count);
/* A plugin type that is registered; `attrs` go to its create. Results have the types that its infer says. */
PLANISH_API planish_status planish_network_add_plugin(planish_network* network, const char* plugin, const char* name,
                                                      const planish_value* inputs, size_t input_count,
                                                      const planish_attr* attrs, size_t attr_count, planish_node* node);
/* Plugins that ship with the library: names and fields are those of TensorRT's. They are no operators: adding one adds
 * what it is made of. Texts and fields are valid as long as the library is loaded. */
typedef struct planish_shipped_plugin {
  size_t struct_size;
  const char* name;
  const char* const* versions;
  const int32_t* generations; /* of each version, 2 or 3: which plugin interface TensorRT has for it */
  size_t version_count;
  const planish_attr* fields; /* with the values that are taken where a field is not given */
  const int32_t* required;    /* of each field, 1: it must be given */
  size_t field_count;
  int32_t least_inputs, most_inputs; /* most -1: any number */
} planish_shipped_plugin;
PLANISH_API int32_t planish_shipped_plugin_count(void);
PLANISH_API planish_status planish_shipped_plugin_at(int32_t index, planish_shipped_plugin* plugin); /* by name */
/* How many results one with these fields has; refuses fields that it does not take. */
PLANISH_API planish_status planish_shipped_plugin_outputs(const char* plugin, const planish_attr* attrs,
                                                          size_t attr_count, int32_t* count);
/* `outputs` has room for as many. */
PLANISH_API planish_status planish_network_add_shipped_plugin(planish_network* network, const char* plugin,
                                                              const char* name, const planish_value* inputs,
                                                              size_t input_count, const planish_attr* attrs,
                                                              size_t attr_count, planish_value* outputs);
PLANISH_API planish_status planish_network_mark_output(planish_network* network, planish_value value, const char* name);
PLANISH_API planish_status planish_network_unmark_output(planish_network* network, planish_value value);

/* Range and typical value of a named extent, for builds without profiles. A build without profiles fails while an
 * input's extent has no range. */
PLANISH_API planish_status planish_network_set_range(planish_network* network, const char* symbol, int64_t min,
                                                     int64_t opt, int64_t max);

/* ---- changing: types of all that follows are inferred again; on failure nothing has changed ---------- */

PLANISH_API planish_status planish_network_set_value_name(planish_network* network, planish_value value,
                                                          const char* name);
PLANISH_API planish_status planish_network_set_node_name(planish_network* network, planish_node node, const char* name);
PLANISH_API planish_status planish_network_set_attr(planish_network* network, planish_node node,
                                                    const planish_attr* attr);
PLANISH_API planish_status planish_network_erase_attr(planish_network* network, planish_node node, const char* name);
PLANISH_API planish_status planish_network_set_node_input(planish_network* network, planish_node node, size_t index,
                                                          planish_value value);
/* PLANISH_INVALID_STATE while a result is in use. */
/* Another type of an input. */
PLANISH_API planish_status planish_network_set_input_type(planish_network* network, planish_value value,
                                                          planish_dtype dtype, const int64_t* extents,
                                                          const char* const* symbols, int32_t rank);
PLANISH_API planish_status planish_network_remove_node(planish_network* network, planish_node node);

/* ---- reading. Texts and pointers are valid until the network changes or the next such call on it ------ */

PLANISH_API int32_t planish_network_input_count(const planish_network* network);
PLANISH_API int32_t planish_network_output_count(const planish_network* network);
PLANISH_API int32_t planish_network_node_count(const planish_network* network);
PLANISH_API planish_value planish_network_input(const planish_network* network, int32_t index);
PLANISH_API planish_value planish_network_output(const planish_network* network, int32_t index);
PLANISH_API planish_node planish_network_node(const planish_network* network,
                                              int32_t index); /* in order of execution */
PLANISH_API planish_value planish_network_find_value(const planish_network* network, const char* name); /* -1: none */
PLANISH_API const char* planish_network_name(const planish_network* network);

typedef struct planish_value_info {
  size_t struct_size;
  const char* name;
  const char* type; /* "f32[N,3,224,224]" */
  planish_dtype dtype;
  int32_t rank;
  int64_t extents[PLANISH_MAX_RANK]; /* -1: depends on the inputs' */
  planish_node producer;             /* -1: an input or a constant */
  int32_t result;                    /* which of the producer's */
  int32_t is_input, is_output, is_constant;
  const void* data; /* of a constant */
} planish_value_info;
PLANISH_API planish_status planish_network_get_value(const planish_network* network, planish_value value,
                                                     planish_value_info* info);
/* "N", "floor_div(H, 2)", "3". */
PLANISH_API planish_status planish_network_get_extent(const planish_network* network, planish_value value, int32_t axis,
                                                      const char** text);

typedef struct planish_node_info {
  size_t struct_size;
  const char* op;
  const char* name;
  int32_t input_count, output_count, attr_count;
} planish_node_info;
PLANISH_API planish_status planish_network_get_node(const planish_network* network, planish_node node,
                                                    planish_node_info* info);
PLANISH_API planish_value planish_network_node_input(const planish_network* network, planish_node node, int32_t index);
PLANISH_API planish_value planish_network_node_output(const planish_network* network, planish_node node, int32_t index);
PLANISH_API planish_status planish_network_get_attr(const planish_network* network, planish_node node, int32_t index,
                                                    planish_attr* attr);
/* The whole network, exactly; valid as other texts. */
PLANISH_API planish_status planish_network_text(const planish_network* network, const char** text);

/* The network as bytes, and back. Of user operators it has what their plugins wrote, from which a build makes them. */
typedef int32_t (*planish_write_fn)(void* user, const void* data, size_t size); /* 0: failed */
PLANISH_API planish_status planish_network_write(const planish_network* network, planish_write_fn write, void* user);
PLANISH_API planish_status planish_network_read(const void* bytes, size_t size, planish_network** network);
/* Other elements of a constant: dense, row-major, of its type. */
PLANISH_API planish_status planish_network_set_constant(planish_network* network, planish_value value,
                                                        const void* data);

/* ---- calibration: ranges of values, found on samples, for products of 8-bit integers ----------------- */

typedef struct planish_progress {
  size_t struct_size;
  const char* phase; /* "optimising", "tuning", "calibrating", … */
  int32_t done, total;
} planish_progress;
typedef int32_t (*planish_progress_fn)(void* user, const planish_progress* progress); /* 0 cancels */

/* Ranges of the inputs that one profile serves. */
typedef struct planish_profile {
  size_t struct_size;
  const planish_range* ranges;
  size_t count;
} planish_profile;

/* One input of a sample. `extents` come as the input's own (typical ones where they are dynamic), and may be changed.
 */
typedef struct planish_sample {
  const char* input;
  int64_t extents[PLANISH_MAX_RANK];
  int32_t rank;
  const void* data; /* dense, row-major, of the input's type; until the next call */
} planish_sample;
/* Fills the next sample, an entry for each input. 1: done; 0: there are no more; -1: the calibration fails. */
typedef int32_t (*planish_samples_fn)(void* user, planish_sample* inputs, size_t count);

typedef struct planish_calibration_options {
  size_t struct_size;
  planish_device* device; /* that samples are run on; NULL: a new one, with `threads` */
  int32_t threads;
  const char* method; /* "entropy" (NULL: that), "minmax", "percentile", "mse", "best" */
  double percent;     /* of the values, that "percentile" covers; 0: 99.99 */
  int32_t count;      /* samples that are expected, for progress; 0: unknown */
  planish_samples_fn samples;
  void* samples_user;
  const planish_profile* profile; /* of dynamic extents; may be NULL */
  planish_progress_fn progress;
  void* progress_user;
  int32_t correct_bias; /* 1: the table gets the means that take the weights' rounding out of the mean results */
} planish_calibration_options;
/* The table, in TensorRT's text form, for planish_build_options; valid as other texts. */
PLANISH_API planish_status planish_calibrate(const planish_network* network, const planish_calibration_options* options,
                                             const char** table);

/* ---- building --------------------------------------------------------------------------------------- */

typedef int32_t planish_tuning;
enum {
  PLANISH_TUNE_FAST = 0, /* times the promising candidates */
  PLANISH_TUNE_FULL = 1, /* times all */
  PLANISH_TUNE_OFF = 2   /* estimates decide */
};

/* One candidate that was considered for a node. microseconds < 0: refused, `reason` says why. */
typedef struct planish_candidate {
  size_t struct_size;
  const char* node;
  const char* candidate;
  double microseconds;
  const char* reason;
  int32_t chosen;
  const char* key; /* of the node's timings, in a timing cache: 32 hexadecimal digits */
} planish_candidate;
typedef void (*planish_candidate_fn)(void* user, const planish_candidate* candidate);

/* A text that the plan carries, found again by planish_engine_get_note. */
typedef struct planish_note {
  size_t struct_size;
  const char *key, *text;
} planish_note;

typedef struct planish_build_options {
  size_t struct_size;
  planish_device* device; /* to tune on and for; NULL: a new one, with `threads` */
  int32_t threads;
  planish_tuning tuning;
  double tune_seconds;      /* time budget; when it is spent estimates decide for the rest. 0: none */
  const char* timing_cache; /* file to read and write; NULL: none */
  const char* isa;          /* build for this level; NULL: this machine's */
  int32_t no_fusion;        /* 1: reference kernels only, to compare with */
  planish_progress_fn progress;
  void* progress_user;
  planish_candidate_fn candidates;
  void* candidates_user;
  const planish_profile*
      profiles; /* one set of shapes each, tuned and planned for; NULL: one, of the symbols' ranges */
  size_t profile_count;
  int32_t no_tf32; /* 1: fp32 products are exact; 0: two bf16 parts of each operand may do (16 bits of them count) */
  int32_t bf16;    /* 1: fp32 products may be done in bf16 */
  const planish_note* notes;
  size_t note_count;
  const char*
      calibration; /* table of planish_calibrate or TensorRT: products may take integers of 8 bits; NULL: none */
  int32_t calibration_partial;    /* 1: layers whose tensors the table lacks stay fp32; 0: that is an error */
  const char* const* fp32_layers; /* names of nodes that stay fp32 whatever the table says */
  size_t fp32_layer_count;
  const char* cuda;    /* build for a GPU of this architecture ("sm_90a"), here or not; NULL: for the device */
  int32_t fp16;        /* 1: a GPU stores values as fp16, sums are fp32 */
  int32_t no_fallback; /* 1: what a GPU has no kernel for is an error; 0: a step of the host between copies */
  /* A timing cache as text, in place of a file: `timings` (NULL: none) is read, write_timings gets what it has become.
   * Its lines: a title, the machine, then key, candidate, microseconds, and "only" where that candidate is to compute
   * the node whatever the others cost. */
  const void* timings;
  size_t timings_size;
  planish_write_fn write_timings;
  void* write_timings_user;
  int32_t timings_by_name; /* 1: nodes that are alike have keys of their own, and are timed and chosen one by one */
  int32_t weight_bits;     /* 8 or 4: constant matrices become numbers of so many bits; 0: they stay floats */
  int32_t weight_block;    /* rows that share a scale, 16 to 256; -1: a scale a column; 0: that for 8 bits, 32 for 4 */
  int32_t weight_zeros;    /* 1: a zero point for each block; 0: the middle for all */
  int32_t dynamic;         /* 1: rows become integers of 8 bits as they come, weights of 8 bits, a scale a column */
  const char* const* float_weights; /* names of layers whose weights stay floats */
  size_t float_weight_count;
} planish_build_options;

/* PLANISH_UNSUPPORTED says what this machine lacks to build plans for the device: NVRTC, for a GPU. */
PLANISH_API planish_status planish_device_check_build(const planish_device* device);

/* The network is not changed. Equal network, options and timing cache give equal bytes. `options` may be NULL. */
PLANISH_API planish_status planish_build(const planish_network* network, const planish_build_options* options,
                                         planish_plan** plan);
/* ---- timing caches -------------------------------------------------------------------------------------- */

/* What builds measured for candidates of nodes, to be looked at, joined and edited. Times of whole plans, by which
 * builds choose among several, are kept and joined, but are no rows. For one thread at a time. */
typedef struct planish_timings planish_timings;
typedef struct planish_timing {
  size_t struct_size;
  const char *key, *candidate; /* as in planish_candidate */
  double microseconds;
  int32_t chosen; /* 1: it computes the nodes of this key, whatever the others cost */
} planish_timing;
typedef void (*planish_timing_fn)(void* user, const planish_timing* timing);

/* Of the text that a build wrote, here or on another machine; empty when size is 0. PLANISH_MISMATCH: of another
 * version; PLANISH_INVALID_ARGUMENT: no timing cache, or damaged. */
PLANISH_API planish_status planish_timings_read(const void* text, size_t size, planish_timings** timings);
/* The text, for builds; of an empty cache of no machine, nothing. */
PLANISH_API planish_status planish_timings_write(const planish_timings* timings, planish_write_fn write, void* user);
/* Every row, by key, then by candidate; the texts are valid during the call. */
PLANISH_API planish_status planish_timings_list(const planish_timings* timings, planish_timing_fn row, void* user);
/* Adds what is missing, and what was measured more carefully. PLANISH_MISMATCH: the other is of another machine, and
 * any_machine is 0. */
PLANISH_API planish_status planish_timings_merge(planish_timings* timings, const planish_timings* other,
                                                 int32_t any_machine);
/* This candidate, none else, computes the nodes of the key from now on, and is said to take so long.
 * PLANISH_NOT_FOUND: it was not measured for them. */
PLANISH_API planish_status planish_timings_choose(planish_timings* timings, const char* key, const char* candidate,
                                                  double microseconds);
PLANISH_API void planish_timings_destroy(planish_timings* timings);

/* The plan with nothing but zeros for its weights: it loads, says what the plan says, and computes nothing of use. */
PLANISH_API planish_status planish_plan_without_weights(const void* bytes, size_t size, planish_plan** plan);

#ifdef __cplusplus
}
#endif

#endif
