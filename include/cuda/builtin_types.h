/* A name that sources include; what it offers is in cuda_runtime_api.h. */
#if defined(__CUDACC__)
#include_next <builtin_types.h>
#else
#include "cuda_runtime_api.h"
#endif
