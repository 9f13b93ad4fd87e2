// What plugins share.
#ifndef PLANISH_TENSORRT_TOP_NVINFERPLUGINBASE_H
#define PLANISH_TENSORRT_TOP_NVINFERPLUGINBASE_H

#include "nvinfer/plugin_base.h"
#include "nvinfer/plugin_v3.h"

#endif
