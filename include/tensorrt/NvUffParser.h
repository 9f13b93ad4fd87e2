// Reading UFF models.
#ifndef PLANISH_TENSORRT_TOP_NVUFFPARSER_H
#define PLANISH_TENSORRT_TOP_NVUFFPARSER_H

#include "nvparsers/uff.h"

#endif
