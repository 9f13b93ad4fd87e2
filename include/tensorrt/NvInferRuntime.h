// Loading and running plans.
#ifndef PLANISH_TENSORRT_TOP_NVINFERRUNTIME_H
#define PLANISH_TENSORRT_TOP_NVINFERRUNTIME_H

#include "nvinfer/runtime.h"
#include "nvinfer/versions.h"

#endif
