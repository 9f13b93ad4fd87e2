// libnvonnxparser: the names that programs look for; the parser itself lives beside the builder.

#include "NvOnnxConfig.h"
#include "NvOnnxParser.h"

extern "C" {

void* planish_door_onnx_parser(void* network, void* logger);
void* planish_door_onnx_refitter(void* refitter, void* logger);
void* planish_door_onnx_config();

void* createNvOnnxParser_INTERNAL(void* network, void* logger, int) {
  return planish_door_onnx_parser(network, logger);
}
void* createNvOnnxParserRefitter_INTERNAL(void* refitter, void* logger, int32_t) {
  return planish_door_onnx_refitter(refitter, logger);
}
int getNvOnnxParserVersion() { return NV_TENSORRT_VERSION; }
void* createONNXConfig_INTERNAL() { return planish_door_onnx_config(); }

}  // extern "C"
