#include "tactics/quantized_form.h"

#include <algorithm>

#include "ops/builder.h"

namespace planish {
namespace {

class FormReader {
 public:
  FormReader(const Graph& graph, const Node& node) : graph_(graph), body_(*node.regions.at(0)) {
    for (size_t i = 0; i < body_.inputs().size(); ++i) outer_[body_.inputs()[i]] = node.inputs[i];
  }

  std::optional<QuantizedForm> read() {
    std::vector<const Node*> rest;
    for (NodeId id : body_.nodes()) {
      const Node& node = body_.node(id);
      if (node.op == "dequantize_linear")
        numbers_[node.outputs[0]] = &node;
      else
        rest.push_back(&node);
    }
    if (rest.empty() || !read_anchor(*rest[0])) return std::nullopt;
    if (const Node& last = *rest.back(); last.op == "fused") {
      rest.pop_back();
      if (rest.back()->op != "quantize_linear" || last.inputs != rest.back()->outputs) return std::nullopt;
      q_.table = pointwise_program(*last.regions.at(0));
    }
    if (rest.back()->op == "quantize_linear") {
      q_.result = tensor_scale(body_, *rest.back());
      if (!q_.result) return std::nullopt;
      rest.pop_back();
    }
    ValueId sums = rest[0]->outputs[0];
    if (rest.size() > 1 && rest[1]->op == "quantize_linear") {
      sums = read_inner(*rest[1]);
      if (!sums.valid()) return std::nullopt;
      rest.erase(rest.begin() + 1);
    }
    if (!read_epilogue(rest, sums)) return std::nullopt;
    return q_;
  }

 private:
  Tensor constant_of(ValueId inner) const {
    if (!inner.valid()) return {};
    const auto at = outer_.find(inner);
    return at == outer_.end() ? body_.value(inner).constant : graph_.value(at->second).constant;
  }

  // Of operand 0 of the product.
  std::optional<TensorScale> scale_of(const Node& x) {
    if (const auto known = tensor_scale(body_, x)) return known;
    if (x.inputs.size() < 3 || outer_.count(x.inputs[1]) == 0 || outer_.count(x.inputs[2]) == 0) return std::nullopt;
    q_.dynamic = {outer_.at(x.inputs[1]), outer_.at(x.inputs[2])};
    for (ValueId id : q_.dynamic)
      if (graph_.value(id).is_constant()) return std::nullopt;
    return TensorScale{1, 0, body_.value(x.inputs[0]).type.dtype};
  }

  bool read_anchor(const Node& anchor) {
    if ((anchor.op != "conv" && anchor.op != "matmul") || numbers_.count(anchor.inputs[0]) == 0 ||
        numbers_.count(anchor.inputs[1]) == 0)
      return false;
    const Node &x = *numbers_.at(anchor.inputs[0]), &w = *numbers_.at(anchor.inputs[1]);
    const auto scale = scale_of(x);
    const Tensor weights = constant_of(w.inputs[0]), scales = constant_of(w.inputs[1]),
                 zeros = constant_of(w.inputs.size() > 2 ? w.inputs[2] : ValueId{});
    if (!scale || outer_.count(x.inputs[0]) == 0 || outer_.count(w.inputs[0]) == 0 || !weights.present() ||
        !scales.present())
      return false;
    auto read = quantized_weights(weights, scales, zeros, w.attrs, anchor.op == "conv" ? 0 : 1);
    if (!read) return false;
    q_.x = *scale;
    q_.weights = std::move(*read);
    q_.form.anchor = &anchor;
    q_.form.body = &body_;
    q_.form.anchor_inputs = {outer_.at(x.inputs[0]), outer_.at(w.inputs[0])};
    if (anchor.inputs.size() <= 2 || !anchor.inputs[2].valid()) return true;
    q_.form.anchor_inputs.push_back(outer_of(anchor.inputs[2]));
    return q_.form.anchor_inputs[2].valid() && graph_.value(q_.form.anchor_inputs[2]).is_constant();
  }
  // What the numbers behind the product mean: what the epilogue begins with.
  ValueId read_inner(const Node& quantization) {
    for (const auto& [value, node] : numbers_) {
      if (node->inputs[0] != quantization.outputs[0]) continue;
      const ValueId meant = value;
      q_.inner = tensor_scale(body_, quantization);
      if (!q_.inner || !q_.result || tensor_scale(body_, *node) != q_.inner) return {};
      numbers_.erase(meant);
      return meant;
    }
    return {};
  }
  ValueId outer_of(ValueId inner) const {
    const auto at = outer_.find(inner);
    return at == outer_.end() ? ValueId{} : at->second;
  }

  // An operand of the epilogue from outside, in order of appearance; two scales of the same numbers are not read.
  bool add_extra(ValueId inner) {
    if (!inner.valid() || std::find(extras_.begin(), extras_.end(), inner) != extras_.end()) return true;
    const auto number = numbers_.find(inner);
    const ValueId outer = outer_of(number == numbers_.end() ? inner : number->second->inputs[0]);
    if (!outer.valid()) return number == numbers_.end();  // made in the body, or a constant
    if (std::find(q_.form.extras.begin(), q_.form.extras.end(), outer) != q_.form.extras.end()) return false;
    if (number != numbers_.end()) {
      const auto scale = tensor_scale(body_, *number->second);
      if (!scale) return false;
      q_.extras[outer] = *scale;
    }
    extras_.push_back(inner);
    q_.form.extras.push_back(outer);
    return true;
  }

  // `sums`: the value that the chain begins with.
  bool read_epilogue(const std::vector<const Node*>& chain, ValueId sums) {
    for (size_t k = 1; k < chain.size(); ++k) {
      if (!is_pointwise(*chain[k])) return false;
      for (ValueId input : chain[k]->inputs)
        if (input != sums && !add_extra(input)) return false;
    }
    PwBuilder builder(1 + static_cast<int>(extras_.size()));
    std::map<ValueId, PwBuilder::Reg> registers = {{sums, PwBuilder::Reg{0}}};
    for (size_t i = 0; i < extras_.size(); ++i) registers[extras_[i]] = static_cast<PwBuilder::Reg>(i + 1);
    for (size_t k = 1; k < chain.size(); ++k) {
      std::vector<PwBuilder::Reg> operands;
      for (ValueId input : chain[k]->inputs) {
        if (registers.count(input) == 0)
          registers[input] = builder.constant(body_.value(input).constant.to_doubles().at(0));
        operands.push_back(registers[input]);
      }
      registers[chain[k]->outputs[0]] = op_def(chain[k]->op).pointwise(builder, chain[k]->attrs, operands);
    }
    if (chain.size() > 1) q_.form.epilogue = builder.finish({registers.at(chain.back()->outputs[0])});
    return true;
  }

  const Graph& graph_;
  const Graph& body_;
  std::map<ValueId, ValueId> outer_;
  std::map<ValueId, const Node*> numbers_;  // dequantised value -> its node
  std::vector<ValueId> extras_;             // in the body
  QuantizedForm q_;
};

}  // namespace

std::optional<QuantizedForm> quantized_form(const Graph& graph, const Node& node) {
  return FormReader(graph, node).read();
}

}  // namespace planish
