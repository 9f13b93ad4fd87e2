// Layers that nothing here computes: they are refused when they are added, by name.

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {

nvinfer1::IDistCollectiveLayer* NetworkImpl::addDistCollective(nvinfer1::ITensor&, nvinfer1::CollectiveOperation,
                                                               nvinfer1::ReduceOperation, int64_t, int64_t*, int64_t) {
  reporter_.error(nvinfer1::ErrorCode::kUNSUPPORTED_STATE, "addDistCollective: an engine runs on one device");
  return nullptr;
}

}  // namespace planish::tensorrt
