// Reading ONNX models.
#ifndef PLANISH_TENSORRT_TOP_NVONNXPARSER_H
#define PLANISH_TENSORRT_TOP_NVONNXPARSER_H

#include "nvparsers/onnx.h"

#endif
