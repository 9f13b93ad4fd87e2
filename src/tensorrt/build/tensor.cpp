// ITensor.

#include <limits>
#include <utility>

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {

float TensorImpl::no_range() { return std::numeric_limits<float>::quiet_NaN(); }

void TensorImpl::setName(char const* text) {
  name = text == nullptr ? "" : text;
  if (is_input && value.present()) network.input_changed(*this);
}

char const* TensorImpl::getName() const { return name.c_str(); }

void TensorImpl::setDimensions(nvinfer1::Dims const& dims) {
  network.reporter().guard("ITensor::setDimensions", [&] {
    if (!is_input) refuse("'" + name + "' is no input of the network; its dimensions follow from its layer");
    const Extents before = std::exchange(extents, extents_of(dims));
    try {
      network.input_changed(*this);
    } catch (...) {
      extents = before;
      throw;
    }
  });
}

nvinfer1::Dims TensorImpl::getDimensions() const {
  if (is_input) return dims_of(extents);
  return network.reporter().guard("ITensor::getDimensions", no_dims(), [&] {
    const Extents all = network.nodes().extents(network.value_of(const_cast<TensorImpl&>(*this)));
    return dims_of(network.implicit() ? without_first(all) : all);
  });
}

void TensorImpl::setType(nvinfer1::DataType wanted) {
  network.reporter().guard("ITensor::setType", [&] {
    type_of(wanted);
    const bool known = type_set && type == wanted && !type_by_layer;
    type_by_layer = false;
    if (known) return;
    type = wanted;
    if (is_input) return network.input_changed(*this);
    type_set = true;
    if (producer != nullptr) network.take_back(*producer);
  });
}

bool TensorImpl::is_wish(DataType found) const {
  const bool converts = producer != nullptr && (producer->type == nvinfer1::LayerType::kIDENTITY ||
                                                producer->type == nvinfer1::LayerType::kCAST);
  const DataType wanted = type_of(type);
  return type_by_layer && is_float(found) && (wanted == DataType::i8 || (is_float(wanted) && !converts));
}

nvinfer1::DataType TensorImpl::getType() const {
  if (is_input || type_set) return type;
  return network.reporter().guard("ITensor::getType", nvinfer1::DataType::kFLOAT, [&] {
    return type_of(shown_type(network.nodes().dtype(network.value_of(const_cast<TensorImpl&>(*this)))));
  });
}

bool TensorImpl::setDynamicRange(float min, float max) {
  if (!(min <= max) || !(min > -std::numeric_limits<float>::infinity()) ||
      !(max < std::numeric_limits<float>::infinity()))
    return false;
  range_min = min, range_max = max;
  range_set = true;
  return true;
}

float TensorImpl::getDynamicRange() const {
  return range_set ? std::max(std::abs(range_min), std::abs(range_max)) : -1.0F;
}

bool TensorImpl::isNetworkOutput() const {
  for (int i = 0; i < network.getNbOutputs(); ++i)
    if (network.getOutput(i) == this) return true;
  return false;
}

void TensorImpl::setLocation(nvinfer1::TensorLocation where) {
  network.reporter().guard("ITensor::setLocation", [&] { location = known(where); });
}

void TensorImpl::setAllowedFormats(nvinfer1::TensorFormats allowed) {
  formats = allowed;
  if ((allowed & 1U) == 0)
    network.reporter().warn("tensor '" + name + "': inputs and outputs are linear here; other formats are not offered");
}

bool TensorImpl::isShapeTensor() const {
  return network.reporter().guard("ITensor::isShapeTensor", false, [&] {
    const nvinfer1::DataType kind = getType();
    if (kind != nvinfer1::DataType::kINT32 && kind != nvinfer1::DataType::kINT64) return false;
    return getDimensions().nbDims <= 1 && producer != nullptr && producer->type == nvinfer1::LayerType::kSHAPE;
  });
}

void TensorImpl::setDimensionName(int32_t axis, char const* text) {
  network.reporter().guard("ITensor::setDimensionName", [&] {
    if (text == nullptr || axis < 0 || axis >= static_cast<int32_t>(extents.size()) || !is_input)
      refuse("axis " + std::to_string(axis) + " of '" + name + "' cannot be named");
    dimension_names[axis] = text;
    network.input_changed(*this);
  });
}

char const* TensorImpl::getDimensionName(int32_t axis) const {
  const auto at = dimension_names.find(axis);
  return at == dimension_names.end() ? nullptr : at->second.c_str();
}

}  // namespace planish::tensorrt
