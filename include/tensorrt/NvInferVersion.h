// Version macros.
#ifndef PLANISH_TENSORRT_TOP_NVINFERVERSION_H
#define PLANISH_TENSORRT_TOP_NVINFERVERSION_H

// What build files read here; a program is compiled for another version by -DNV_TENSORRT_MAJOR=N.
#ifndef NV_TENSORRT_MAJOR
#define NV_TENSORRT_MAJOR 10
#define NV_TENSORRT_MINOR 16
#define NV_TENSORRT_PATCH 0
#define NV_TENSORRT_BUILD 0
#endif

#include "nvinfer/version.h"

#endif
