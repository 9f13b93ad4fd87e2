#include "tensorrt/runtime/inspector.h"

#include "tensorrt/runtime/enums.h"

namespace planish::tensorrt {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"";
}

// How a tensor lies in memory, in the words that tools know; channels count as last where they have the stride 1.
std::string format_of(const planish_step_tensor_info& tensor) {
  const bool channels_last = tensor.rank >= 3 && tensor.extents[1] > 1 && tensor.strides[1] == 1;
  const std::string order = channels_last ? "Channel major " : "Row major linear ";
  switch (tensor.dtype) {
    case PLANISH_F32:
      return channels_last ? "Channel major FP32 format" : "Row major linear FP32";
    case PLANISH_F16:
      return order + "FP16 format";
    case PLANISH_BF16:
      return "Row major linear BFloat16 format";
    case PLANISH_I8:
      return channels_last ? "Channel major Int8 format" : "Row major Int8 format";
    case PLANISH_U8:
      return order + "UInt8 format";
    case PLANISH_I32:
      return "Row major linear Int32";
    case PLANISH_I64:
      return "Row major linear Int64 format";
    case PLANISH_BOOL:
      return "Row major linear BOOL";
    default:
      return std::string("Row major linear ") + planish_dtype_name(tensor.dtype);
  }
}

// An input or output by its name, other values by the memory that they share with who reads them.
std::string name_of(const planish_step_tensor_info& tensor, const std::vector<Io>& ios) {
  if (tensor.binding >= 0) return ios.at(static_cast<size_t>(tensor.binding)).name;
  return (tensor.constant != 0 ? "constant " : "value ") + std::to_string(tensor.buffer);
}

int64_t elements_of(const planish_step_tensor_info& tensor) {
  return element_count(Extents(tensor.extents, tensor.extents + tensor.rank));
}

std::string object_of(const planish_step_tensor_info& tensor, const std::vector<Io>& ios) {
  std::string extents;
  for (int32_t axis = 0; axis < tensor.rank; ++axis)
    extents += (axis > 0 ? "," : "") + std::to_string(tensor.extents[axis]);
  return "{\"Name\": " + quoted(name_of(tensor, ios)) + ", \"Location\": \"Device\", \"Dimensions\": [" + extents +
         "], \"Format/Datatype\": " + quoted(format_of(tensor)) + "}";
}

const char* weights_type(planish_dtype type) {
  return type == PLANISH_F32 ? "Float" : type == PLANISH_F16 ? "Half" : type == PLANISH_I32 ? "Int32" : "Int8";
}

// The first constant is called weights, the second bias.
std::string constants_of(const std::vector<planish_step_tensor_info>& constants) {
  static constexpr const char* kKeys[] = {"Weights", "Bias"};
  std::string text;
  for (size_t i = 0; i < constants.size() && i < 2; ++i)
    text += ", \"" + std::string(kKeys[i]) + "\": {\"Type\": \"" + weights_type(constants[i].dtype) +
            "\", \"Count\": " + std::to_string(elements_of(constants[i])) + "}";
  return text;
}

// Operands but for constants, results, and constants of a step.
std::string tensors_of(const LoadedPlan& plan, int32_t profile, int32_t index, const planish_step_info& step) {
  std::string inputs, outputs;
  std::vector<planish_step_tensor_info> constants;
  for (int32_t i = 0; i < step.input_count + step.output_count; ++i) {
    auto tensor = detail::sized<planish_step_tensor_info>();
    detail::check(planish_engine_get_step_tensor(plan.engine(), profile, index, i, &tensor));
    if (tensor.buffer < 0) continue;
    if (tensor.constant != 0) {
      constants.push_back(tensor);
      continue;
    }
    std::string& list = i < step.input_count ? inputs : outputs;
    list += (list.empty() ? "" : ", ") + object_of(tensor, plan.ios());
  }
  return ", \"Inputs\": [" + inputs + "], \"Outputs\": [" + outputs + "]" + constants_of(constants);
}

}  // namespace

// kNONE says nothing, kLAYER_NAMES_ONLY a name, kDETAILED an object.
std::string InspectorImpl::layer(int32_t index, bool json) const {
  auto step = detail::sized<planish_step_info>();
  detail::check(planish_engine_get_step(plan_->engine(), profile(), index, &step));
  if (plan_->verbosity() == nvinfer1::ProfilingVerbosity::kNONE) return json ? "\"\"" : "";
  const bool detailed = plan_->verbosity() == nvinfer1::ProfilingVerbosity::kDETAILED;
  if (!json && detailed)
    return "Name: " + std::string(step.name) + ", LayerType: " + step.op + ", TacticName: " + plan_->tactic(step) +
           ", StreamId: 0, Metadata: [ONNX Layer: " + step.name + "]";
  if (!json) return step.name;
  if (!detailed) return quoted(step.name);
  return "{\"Name\": " + quoted(step.name) + ", \"LayerType\": " + quoted(step.op) +
         tensors_of(*plan_, profile(), index, step) + ", \"TacticName\": " + quoted(plan_->tactic(step)) +
         ", \"StreamId\": 0, \"Metadata\": " + quoted("[ONNX Layer: " + std::string(step.name) + "]") + "}";
}

std::string InspectorImpl::bindings(bool json) const {
  std::string text;
  for (const Io& io : plan_->ios()) text += (text.empty() ? "" : ", ") + (json ? quoted(io.name) : io.name);
  return json ? "\"Bindings\": [" + text + "]" : "Bindings: " + text;
}

char const* InspectorImpl::getLayerInformation(int32_t index, nvinfer1::LayerInformationFormat format) const {
  return reporter_.guard("getLayerInformation", static_cast<char const*>(nullptr), [&] {
    text_ = layer(index, known(format) == nvinfer1::LayerInformationFormat::kJSON);
    return text_.c_str();
  });
}

char const* InspectorImpl::getEngineInformation(nvinfer1::LayerInformationFormat format) const {
  return reporter_.guard("getEngineInformation", static_cast<char const*>(nullptr), [&] {
    const bool json = known(format) == nvinfer1::LayerInformationFormat::kJSON;
    std::string layers;
    for (int i = 0, n = planish_engine_step_count(plan_->engine(), profile()); i < n; ++i)
      layers += (i > 0 ? (json ? ",\n" : "\n") : "") + layer(i, json);
    text_ = json ? "{\"Layers\": [" + layers + "],\n" + bindings(true) + "}\n" : layers + "\n" + bindings(false) + "\n";
    return text_.c_str();
  });
}

}  // namespace planish::tensorrt
