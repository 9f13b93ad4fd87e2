// Bindings by index: the inputs and outputs of profile 0, then of profile 1, …

#include "tensorrt/runtime/engine.h"
#include "tensorrt/runtime/enums.h"

namespace planish::tensorrt {

int32_t EngineImpl::getBindingIndex(char const* name) const {
  if (name == nullptr) return -1;
  for (size_t i = 0; i < binding_names_.size(); ++i)
    if (binding_names_[i] == name) return static_cast<int32_t>(i);
  return -1;
}

char const* EngineImpl::getBindingName(int32_t index) const {
  return reporter_.guard("getBindingName", static_cast<char const*>(nullptr), [&] {
    io_of_binding(index);
    return binding_names_[static_cast<size_t>(index)].c_str();
  });
}

bool EngineImpl::bindingIsInput(int32_t index) const {
  return reporter_.guard("bindingIsInput", false, [&] { return io(io_of_binding(index)).is_input; });
}

nvinfer1::Dims EngineImpl::getBindingDimensions(int32_t index) const {
  return reporter_.guard("getBindingDimensions", no_dims(),
                         [&] { return dims_of(plan()->shown(io(io_of_binding(index)).extents)); });
}

nvinfer1::DataType EngineImpl::getBindingDataType(int32_t index) const {
  return reporter_.guard("getBindingDataType", nvinfer1::DataType::kFLOAT,
                         [&] { return io(io_of_binding(index)).type; });
}

nvinfer1::TensorLocation EngineImpl::getLocation(int32_t index) const {
  return isShapeBinding(index) ? nvinfer1::TensorLocation::kHOST : nvinfer1::TensorLocation::kDEVICE;
}

int32_t EngineImpl::getBindingBytesPerComponent(int32_t index) const {
  return reporter_.guard("getBindingBytesPerComponent", int32_t{-1},
                         [&] { return static_cast<int32_t>(io(io_of_binding(index)).element_bytes); });
}

char const* EngineImpl::getBindingFormatDesc(int32_t index) const {
  return reporter_.guard("getBindingFormatDesc", "",
                         [&] { return getTensorFormatDesc(io(io_of_binding(index)).name.c_str()); });
}

bool EngineImpl::isShapeBinding(int32_t index) const {
  return reporter_.guard("isShapeBinding", false,
                         [&] { return plan()->shape_values(io_of_binding(index), 0) != nullptr; });
}

bool EngineImpl::isExecutionBinding(int32_t index) const {
  return reporter_.guard("isExecutionBinding", false,
                         [&] { return plan()->shape_values(io_of_binding(index), 0) == nullptr; });
}

nvinfer1::Dims EngineImpl::getProfileDimensions(int32_t index, int32_t profile,
                                                nvinfer1::OptProfileSelector select) const {
  return reporter_.guard("getProfileDimensions", no_dims(),
                         [&] { return profile_dims(io_of_binding(index), profile, select); });
}

int32_t const* EngineImpl::getProfileShapeValues(int32_t profile, int32_t index,
                                                 nvinfer1::OptProfileSelector select) const {
  return reporter_.guard("getProfileShapeValues", static_cast<int32_t const*>(nullptr), [&] {
    return values_of(io_of_binding(index), profile).narrow[static_cast<size_t>(known(select))].data();
  });
}

}  // namespace planish::tensorrt
