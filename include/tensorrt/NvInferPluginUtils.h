// Parameters of the plugins that ship with the library.
#ifndef PLANISH_TENSORRT_TOP_NVINFERPLUGINUTILS_H
#define PLANISH_TENSORRT_TOP_NVINFERPLUGINUTILS_H

#include "nvparsers/plugins.h"

#endif
