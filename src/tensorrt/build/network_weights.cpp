// Weights of a network by layer and by name.

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {
namespace {

using nvinfer1::WeightsRole;

WeightsRole role_of(const std::string& what) {
  if (what == "kernel") return WeightsRole::kKERNEL;
  if (what == "bias") return WeightsRole::kBIAS;
  if (what == "shift") return WeightsRole::kSHIFT;
  if (what == "scale") return WeightsRole::kSCALE;
  return what == "constant" ? WeightsRole::kCONSTANT : WeightsRole::kANY;
}

// What a node that a parser read takes operand i for.
WeightsRole role_of(const std::string& op, size_t i) {
  if (op == "conv" || op == "conv_transpose") return i == 1 ? WeightsRole::kKERNEL : WeightsRole::kBIAS;
  return WeightsRole::kCONSTANT;
}

}  // namespace

std::vector<RefitRecord::Weights> NetworkImpl::named_weights() {
  std::vector<RefitRecord::Weights> all;
  std::set<planish_value> seen;
  for (const auto& layer : layers_) {
    for (const LayerCore::OwnWeights& weights : layer->own_weights) {
      const auto name = weight_names_.find(weights.given);
      all.push_back({layer->name, role_of(weights.what), nodes_->name(weights.value),
                     name == weight_names_.end() ? "" : name->second});
    }
    if (!layer->imported) continue;
    const std::string op = nodes_->op(layer->nodes.at(0));
    const std::vector<Value> operands = nodes_->operands(layer->nodes.at(0));
    for (size_t i = 0; i < operands.size(); ++i) {
      if (!operands[i].present() || !nodes_->is_constant(operands[i]) || !seen.insert(operands[i].id).second) continue;
      const std::string name = nodes_->name(operands[i]);
      // Those that the importer adds are called after what it makes.
      const bool of_model = name.find(".constant") == std::string::npos;
      all.push_back({layer->name, role_of(op, i), name, of_model ? name : ""});
    }
  }
  return all;
}

}  // namespace planish::tensorrt
