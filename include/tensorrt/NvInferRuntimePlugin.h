// Interfaces of plugins.
#ifndef PLANISH_TENSORRT_TOP_NVINFERRUNTIMEPLUGIN_H
#define PLANISH_TENSORRT_TOP_NVINFERRUNTIMEPLUGIN_H

#include "nvinfer/plugin_registry.h"
#include "nvinfer/plugin_v1.h"
#include "nvinfer/plugin_v2.h"
#include "nvinfer/plugin_v3.h"

#endif
