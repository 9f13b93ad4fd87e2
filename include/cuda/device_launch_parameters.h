/* Where a thread of a kernel is: exists in device code alone, which nvcc compiles with its own header. */
#if defined(__CUDACC__)
#include_next <device_launch_parameters.h>
#else
#include "vector_types.h"
#endif
