// The runtime of safety-certified devices.
#ifndef PLANISH_TENSORRT_TOP_NVINFERSAFERUNTIME_H
#define PLANISH_TENSORRT_TOP_NVINFERSAFERUNTIME_H

#include "nvinfer/safe.h"

#endif
