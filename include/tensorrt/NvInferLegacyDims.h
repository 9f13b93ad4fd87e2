// Extents of a fixed number of axes.
#ifndef PLANISH_TENSORRT_TOP_NVINFERLEGACYDIMS_H
#define PLANISH_TENSORRT_TOP_NVINFERLEGACYDIMS_H

#include "nvinfer/dims.h"

#endif
