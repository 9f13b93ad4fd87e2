#include "tensorrt/build/algorithms.h"

#include <algorithm>

namespace planish::tensorrt {
namespace {

Extents dense_strides(const Extents& extents) {
  Extents strides = extents;
  int64_t step = 1;
  for (size_t i = strides.size(); i-- > 0; step *= extents[i]) strides[i] = step;
  return strides;
}

// Null: the plan has no step of that name, or the interface no such types.
std::unique_ptr<AlgorithmNode> node_of(const TunedNode& tuned, const LoadedPlan& plan) {
  for (int32_t i = 0, n = planish_engine_step_count(plan.engine(), 0); i < n; ++i) {
    auto step = detail::sized<planish_step_info>();
    detail::check(planish_engine_get_step(plan.engine(), 0, i, &step));
    if (step.name != tuned.name) continue;
    auto node = std::make_unique<AlgorithmNode>();
    node->name = tuned.name;
    node->key = tuned.key;
    for (int32_t t = 0; t < step.input_count + step.output_count; ++t) {
      auto tensor = detail::sized<planish_step_tensor_info>();
      detail::check(planish_engine_get_step_tensor(plan.engine(), 0, i, t, &tensor));
      if (tensor.buffer < 0 || tensor.constant != 0) continue;
      if (t < step.input_count) ++node->inputs;
      try {
        node->ios.emplace_back(type_of(static_cast<DataType>(tensor.dtype)),
                               Extents(tensor.extents, tensor.extents + tensor.rank));
      } catch (const Error&) {
        return nullptr;
      }
    }
    return node;
  }
  return nullptr;
}

}  // namespace

AlgorithmIo::AlgorithmIo(nvinfer1::DataType type, const Extents& extents)
    : type(type), dims(dims_of(extents)), strides(dims_of(dense_strides(extents))) {}

const AlgorithmIo* AlgorithmNode::at(int32_t index) const {
  return index < 0 || index >= static_cast<int32_t>(ios.size()) ? nullptr : &ios[static_cast<size_t>(index)];
}

nvinfer1::Dims AlgorithmNode::getDimensions(int32_t index, nvinfer1::OptProfileSelector) const {
  return at(index) == nullptr ? no_dims() : at(index)->dims;
}

nvinfer1::IAlgorithmIOInfo const& Algorithm::getAlgorithmIOInfo(int32_t index) const {
  static const AlgorithmIo none(nvinfer1::DataType::kFLOAT, {});
  return node->at(index) == nullptr ? none : *node->at(index);
}

int64_t Algorithm::getImplementation() const {
  return static_cast<int64_t>(tactic_hash(candidate.substr(0, candidate.find_first_of(":/ "))) >> 1U);
}

int64_t Algorithm::getTactic() const { return static_cast<int64_t>(tactic_hash(candidate)); }

bool Selection::choose(const std::vector<TunedNode>& tuned, const LoadedPlan& plan, Timings& timings) const {
  bool narrowed = false;
  for (const TunedNode& op : tuned) {
    const auto node = node_of(op, plan);
    if (node == nullptr) continue;
    std::deque<Algorithm> all;
    for (const CandidateReport& candidate : op.candidates) all.emplace_back(*node, candidate);
    std::vector<const nvinfer1::IAlgorithm*> choices;
    for (const Algorithm& algorithm : all) choices.push_back(&algorithm);
    std::vector<int32_t> selection(all.size(), -1);
    const auto count = static_cast<int32_t>(all.size());
    const int32_t given = selector_.selectAlgorithms(*node, choices.data(), count, selection.data());
    const auto wrong = [&](int32_t i) { return i < 0 || i >= count; };
    if (given < 0 || given > count || std::any_of(selection.begin(), selection.begin() + given, wrong))
      refuse("selectAlgorithms gives " + std::to_string(given) + " choices for '" + op.name +
             "', or numbers of none; there are " + std::to_string(count));
    if (given == 0 && empty_is_error_)
      refuse("selectAlgorithms gives no choice for '" + op.name + "', and kREJECT_EMPTY_ALGORITHMS is set");
    if (given == 0 || given == count) continue;
    selection.resize(static_cast<size_t>(given));
    const int32_t best = *std::min_element(selection.begin(), selection.end(), [&](int32_t a, int32_t b) {
      return all[static_cast<size_t>(a)].microseconds < all[static_cast<size_t>(b)].microseconds;
    });
    const Algorithm& chosen = all[static_cast<size_t>(best)];
    timings.choose(op.key, chosen.candidate, chosen.microseconds);
    narrowed = true;
  }
  return narrowed;
}

void Selection::report(const std::vector<TunedNode>& tuned, const LoadedPlan& plan) const {
  std::vector<std::unique_ptr<AlgorithmNode>> nodes;
  std::deque<Algorithm> all;
  std::vector<const nvinfer1::IAlgorithmContext*> contexts;
  std::vector<const nvinfer1::IAlgorithm*> choices;
  for (const TunedNode& op : tuned) {
    auto node = node_of(op, plan);
    if (node == nullptr) continue;
    nodes.push_back(std::move(node));
    all.emplace_back(*nodes.back(), op.taken());
    contexts.push_back(nodes.back().get());
    choices.push_back(&all.back());
  }
  selector_.reportAlgorithms(contexts.data(), choices.data(), static_cast<int32_t>(choices.size()));
}

}  // namespace planish::tensorrt
