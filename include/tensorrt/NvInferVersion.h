// Version macros.
#ifndef PLANISH_TENSORRT_TOP_NVINFERVERSION_H
#define PLANISH_TENSORRT_TOP_NVINFERVERSION_H

#include "nvinfer/version.h"

#endif
