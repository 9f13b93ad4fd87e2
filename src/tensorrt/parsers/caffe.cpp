// libnvcaffe_parser, and libnvparsers: the name that programs look for; the parser itself lives beside the builder.

#include "NvCaffeParser.h"

extern "C" {

void* planish_door_caffe_parser();

void* createNvCaffeParser_INTERNAL() { return planish_door_caffe_parser(); }

}  // extern "C"
