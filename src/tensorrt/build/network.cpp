#include "tensorrt/build/network.h"

#include <algorithm>
#include <utility>

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {
namespace {

// Extents as an interface without a formula of the caller's counts them.
class FloorFormula final : public nvinfer1::IOutputDimensionsFormula {
 public:
  explicit FloorFormula(bool backwards) : backwards_(backwards) {}
  nvinfer1::DimsHW compute(nvinfer1::DimsHW in, nvinfer1::DimsHW kernel, nvinfer1::DimsHW stride,
                           nvinfer1::DimsHW padding, nvinfer1::DimsHW dilation, char const*) const override {
    nvinfer1::DimsHW out;
    for (int i = 0; i < 2; ++i) {
      const auto reach = dilation.d[i] * (kernel.d[i] - 1) + 1;
      out.d[i] = backwards_
                     ? (in.d[i] - 1) * stride.d[i] + reach - 2 * padding.d[i]
                     : (in.d[i] + 2 * padding.d[i] - reach) / std::max<nvinfer1::door::Extent>(stride.d[i], 1) + 1;
    }
    return out;
  }

 private:
  bool backwards_;
};

}  // namespace

NetworkImpl::NetworkImpl(nvinfer1::IBuilder& builder, const Reporter& reporter,
                         nvinfer1::NetworkDefinitionCreationFlags flags, bool implicit)
    : plugins(std::make_shared<PluginSession>(reporter.logger())),
      builder_(builder),
      reporter_(reporter),
      flags_(flags),
      implicit_(implicit),
      nodes_(std::make_unique<Network>("network")) {}

NetworkImpl::~NetworkImpl() = default;

bool NetworkImpl::markDebug(nvinfer1::ITensor&) {
  reporter_.say_once(Severity::kWARNING, "values are not shown to debug listeners: no tensor is marked");
  return false;
}

nvinfer1::ITensor* NetworkImpl::addInput(char const* name, nvinfer1::DataType type, nvinfer1::Dims const& dims) {
  return reporter_.guard("addInput", static_cast<nvinfer1::ITensor*>(nullptr), [&]() -> nvinfer1::ITensor* {
    if (name == nullptr || *name == '\0') refuse("an input needs a name");
    for (const auto& other : inputs_)
      if (other->name == name) refuse("there is an input '" + std::string(name) + "' already");
    auto input = std::make_unique<TensorImpl>(*this, nullptr, getNbInputs());
    input->name = name;
    input->is_input = true;
    type_of(type);
    input->type = type;
    input->extents = extents_of(dims);
    for (int64_t extent : input->extents)
      if (extent < -1) refuse("input '" + std::string(name) + "' is given the extent " + std::to_string(extent));
    inputs_.push_back(std::move(input));
    return inputs_.back().get();
  });
}

TensorImpl& NetworkImpl::own(nvinfer1::ITensor& tensor) const {
  auto& mine = static_cast<TensorImpl&>(tensor);
  if (&mine.network != this) refuse("tensor '" + mine.name + "' belongs to another network");
  return mine;
}

void NetworkImpl::markOutput(nvinfer1::ITensor& tensor) {
  reporter_.guard("markOutput", [&] {
    TensorImpl& mine = own(tensor);
    if (std::find(outputs_.begin(), outputs_.end(), &mine) == outputs_.end()) outputs_.push_back(&mine);
  });
}

void NetworkImpl::unmarkOutput(nvinfer1::ITensor& tensor) {
  reporter_.guard("unmarkOutput", [&] { std::erase(outputs_, &own(tensor)); });
}

bool NetworkImpl::markOutputForShapes(nvinfer1::ITensor& tensor) {
  return reporter_.guard("markOutputForShapes", false, [&] {
    TensorImpl& mine = own(tensor);
    if (std::find(outputs_.begin(), outputs_.end(), &mine) == outputs_.end()) outputs_.push_back(&mine);
    return true;
  });
}

bool NetworkImpl::unmarkOutputForShapes(nvinfer1::ITensor& tensor) {
  return reporter_.guard("unmarkOutputForShapes", false, [&] { return std::erase(outputs_, &own(tensor)) > 0; });
}

// An input that no layer reads leaves the network.
void NetworkImpl::removeTensor(nvinfer1::ITensor& tensor) {
  reporter_.guard("removeTensor", [&] {
    TensorImpl& mine = own(tensor);
    std::erase(outputs_, &mine);
  });
}

nvinfer1::ILayer* NetworkImpl::getLayer(int32_t index) const {
  return index < 0 || index >= getNbLayers() ? nullptr : &layers_[static_cast<size_t>(index)]->layer();
}

nvinfer1::ITensor* NetworkImpl::getInput(int32_t index) const {
  return index < 0 || index >= getNbInputs() ? nullptr : inputs_[static_cast<size_t>(index)].get();
}

nvinfer1::ITensor* NetworkImpl::getOutput(int32_t index) const {
  return index < 0 || index >= getNbOutputs() ? nullptr : outputs_[static_cast<size_t>(index)];
}

bool NetworkImpl::setWeightsName(nvinfer1::Weights weights, char const* name) {
  if (weights.values == nullptr || name == nullptr) return false;
  weight_names_[weights.values] = name;
  return true;
}

void NetworkImpl::setPoolingOutputDimensionsFormula(nvinfer1::IOutputDimensionsFormula* formula) {
  take_back_all();
  formulas_[2] = formula;
}
void NetworkImpl::setConvolutionOutputDimensionsFormula(nvinfer1::IOutputDimensionsFormula* formula) {
  take_back_all();
  formulas_[0] = formula;
}
void NetworkImpl::setDeconvolutionOutputDimensionsFormula(nvinfer1::IOutputDimensionsFormula* formula) {
  take_back_all();
  formulas_[1] = formula;
}
nvinfer1::IOutputDimensionsFormula& NetworkImpl::getPoolingOutputDimensionsFormula() const {
  static FloorFormula usual(false);
  return formulas_[2] == nullptr ? usual : *formulas_[2];
}
nvinfer1::IOutputDimensionsFormula& NetworkImpl::getConvolutionOutputDimensionsFormula() const {
  static FloorFormula usual(false);
  return formulas_[0] == nullptr ? usual : *formulas_[0];
}
nvinfer1::IOutputDimensionsFormula& NetworkImpl::getDeconvolutionOutputDimensionsFormula() const {
  static FloorFormula usual(true);
  return formulas_[1] == nullptr ? usual : *formulas_[1];
}

void NetworkImpl::add(std::unique_ptr<LayerCore> layer) { layers_.push_back(std::move(layer)); }

}  // namespace planish::tensorrt
