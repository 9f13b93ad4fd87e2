// Checking plans for safety-certified devices (majors 8 to 10). There is no such device here: no checker is made.
#ifndef PLANISH_TENSORRT_CONSISTENCY_H
#define PLANISH_TENSORRT_CONSISTENCY_H

#include "nvinfer/plugin_registry.h"

namespace nvinfer1 {
namespace consistency {

class IConsistencyChecker : public INoCopy {
 public:
  // Whether the plan is one for a safety-certified device.
  virtual bool validate() const = 0;
};

// A creator that looks at the bytes of its plugins.
class IPluginChecker : public IPluginCreator {
 public:
  virtual bool validate(char const* name, void const* serialData, size_t serialLength, PluginTensorDesc const* in,
                        size_t nbInputs, PluginTensorDesc const* out, size_t nbOutputs,
                        int64_t workspaceSize) const = 0;
};

}  // namespace consistency
}  // namespace nvinfer1

extern "C" TENSORRTAPI void* createConsistencyChecker_INTERNAL(void* logger, void const* blob, size_t size,
                                                               int32_t version);

namespace nvinfer1 {
namespace consistency {

// nullptr, and a line in the log.
inline IConsistencyChecker* createConsistencyChecker(ILogger& logger, void const* blob, size_t size) {
  return static_cast<IConsistencyChecker*>(createConsistencyChecker_INTERNAL(&logger, blob, size, NV_TENSORRT_VERSION));
}

}  // namespace consistency
}  // namespace nvinfer1

#endif
