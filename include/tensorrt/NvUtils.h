// Rearranging weights.
#ifndef PLANISH_TENSORRT_TOP_NVUTILS_H
#define PLANISH_TENSORRT_TOP_NVUTILS_H

#include "nvinfer/utils.h"

#endif
