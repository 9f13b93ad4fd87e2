// Checking plans for safety-certified devices.
#ifndef PLANISH_TENSORRT_TOP_NVINFERCONSISTENCY_H
#define PLANISH_TENSORRT_TOP_NVINFERCONSISTENCY_H

#include "nvinfer/consistency.h"

#endif
