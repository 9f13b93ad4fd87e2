/* load_run PLAN: feeds the plan's input with sin(i) and prints its output. */
#include <math.h>
#include <planish/planish.h>
#include <stdio.h>
#include <stdlib.h>

static void must(planish_status status) {
  if (status == PLANISH_OK) return;
  fprintf(stderr, "%s: %s\n", planish_status_name(status), planish_last_error());
  exit(1);
}

static float* memory_of(planish_context* context, const char* binding, int64_t* count) {
  int64_t bytes = 0;
  must(planish_context_get_bytes(context, binding, &bytes));
  *count = bytes / (int64_t)sizeof(float);
  float* memory = calloc((size_t)*count, sizeof(float));
  must(planish_context_bind(context, binding, memory, (size_t)bytes));
  return memory;
}

int main(int argc, char** argv) {
  const int64_t extents[] = {3, 8};
  planish_engine* engine = NULL;
  planish_context* context = NULL;
  planish_stream* stream = NULL;
  planish_binding_info info = {0};
  int64_t inputs = 0, outputs = 0, i;
  float *x, *y;
  info.struct_size = sizeof info;
  if (argc != 2) return 2;
  must(planish_engine_load(argv[1], NULL, &engine));
  must(planish_engine_get_binding(engine, 0, &info));
  if (info.dtype != PLANISH_F32 || info.extents[0] != -1) return 3;
  must(planish_context_create(engine, NULL, &context));
  must(planish_context_set_shape(context, info.name, extents, 2));
  x = memory_of(context, "x", &inputs);
  y = memory_of(context, "y", &outputs);
  for (i = 0; i < inputs; ++i) x[i] = (float)sin((double)i);
  must(planish_engine_create_stream(engine, &stream));
  must(planish_context_enqueue(context, stream));
  must(planish_stream_synchronize(stream));
  for (i = 0; i < outputs; ++i) printf("%.6f\n", y[i]);
  planish_stream_destroy(stream);
  planish_context_destroy(context);
  planish_engine_destroy(engine);
  free(x);
  free(y);
  return 0;
}
