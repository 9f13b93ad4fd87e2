// libnvinfer_plugin: registers the plugins that ship with the library, which live beside the builder.

#include "NvInferPlugin.h"

extern "C" {

bool planish_door_register_plugins(void* logger, char const* space);

bool initLibNvInferPlugins(void* logger, char const* space) { return planish_door_register_plugins(logger, space); }

}  // extern "C"
