// The plugins that ship with the library.
#ifndef PLANISH_TENSORRT_TOP_NVINFERPLUGIN_H
#define PLANISH_TENSORRT_TOP_NVINFERPLUGIN_H

#include "nvparsers/plugins.h"

#endif
