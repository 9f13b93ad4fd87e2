// Reading Caffe models.
#ifndef PLANISH_TENSORRT_TOP_NVCAFFEPARSER_H
#define PLANISH_TENSORRT_TOP_NVCAFFEPARSER_H

#include "nvparsers/caffe.h"

#endif
