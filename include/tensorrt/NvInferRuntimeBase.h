// Types, errors, logger, memory.
#ifndef PLANISH_TENSORRT_TOP_NVINFERRUNTIMEBASE_H
#define PLANISH_TENSORRT_TOP_NVINFERRUNTIMEBASE_H

#include "nvinfer/allocator.h"
#include "nvinfer/logger.h"
#include "nvinfer/weights.h"

#endif
