// What building and running share.
#ifndef PLANISH_TENSORRT_TOP_NVINFERRUNTIMECOMMON_H
#define PLANISH_TENSORRT_TOP_NVINFERRUNTIMECOMMON_H

#include "NvInferRuntimeBase.h"
#include "NvInferRuntimePlugin.h"

#endif
