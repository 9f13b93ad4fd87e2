// Settings of a program that reads ONNX models.
#ifndef PLANISH_TENSORRT_TOP_NVONNXCONFIG_H
#define PLANISH_TENSORRT_TOP_NVONNXCONFIG_H

#include "nvparsers/onnx_config.h"

#endif
