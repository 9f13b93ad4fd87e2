#include "tensorrt/runtime/inspector.h"

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

}  // namespace

// kNONE says nothing, kLAYER_NAMES_ONLY a name, kDETAILED an object.
std::string InspectorImpl::layer(int32_t index, bool json) const {
  auto step = detail::sized<planish_step_info>();
  detail::check(planish_engine_get_step(plan_->engine(), 0, index, &step));
  if (plan_->verbosity() == nvinfer1::ProfilingVerbosity::kNONE) return json ? "\"\"" : "";
  if (!json) return std::string(step.name) + " (" + step.op + ", " + step.kernel + ")";
  if (plan_->verbosity() != nvinfer1::ProfilingVerbosity::kDETAILED) return quoted(step.name);
  return "{\"Name\": " + quoted(step.name) + ", \"LayerType\": " + quoted(step.op) +
         ", \"Inputs\": " + std::to_string(step.input_count) + ", \"Outputs\": " + std::to_string(step.output_count) +
         ", \"TacticName\": " + quoted(step.kernel) + ", \"StreamId\": 0}";
}

std::string InspectorImpl::bindings(bool json) const {
  std::string text;
  for (const Io& io : plan_->ios()) text += (text.empty() ? "" : ", ") + (json ? quoted(io.name) : io.name);
  return json ? "\"Bindings\": [" + text + "]" : "Bindings: " + text;
}

char const* InspectorImpl::getLayerInformation(int32_t index, nvinfer1::LayerInformationFormat format) const {
  return reporter_.guard("getLayerInformation", static_cast<char const*>(nullptr), [&] {
    text_ = layer(index, format == nvinfer1::LayerInformationFormat::kJSON);
    return text_.c_str();
  });
}

char const* InspectorImpl::getEngineInformation(nvinfer1::LayerInformationFormat format) const {
  return reporter_.guard("getEngineInformation", static_cast<char const*>(nullptr), [&] {
    const bool json = format == nvinfer1::LayerInformationFormat::kJSON;
    std::string layers;
    for (int i = 0, n = planish_engine_step_count(plan_->engine(), 0); i < n; ++i)
      layers += (i > 0 ? (json ? ",\n" : "\n") : "") + layer(i, json);
    text_ = json ? "{\"Layers\": [" + layers + "],\n" + bindings(true) + "}\n" : layers + "\n" + bindings(false) + "\n";
    return text_.c_str();
  });
}

}  // namespace planish::tensorrt
