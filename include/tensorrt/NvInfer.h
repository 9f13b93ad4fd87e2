// Building networks, and running them.
#ifndef PLANISH_TENSORRT_TOP_NVINFER_H
#define PLANISH_TENSORRT_TOP_NVINFER_H

#include "nvinfer/builder.h"
#include "nvinfer/versions.h"

#endif
