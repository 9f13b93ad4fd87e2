#include "random/generator.h"

#include <algorithm>

namespace planish::testing {
namespace {

constexpr int64_t kChannels[] = {4, 4, 4, 3, 8, 16};

class Generator {
 public:
  Generator(uint32_t seed, const RandomOptions& options) {
    draft_.random.seed(seed);
    draft_.options = options;
  }

  Graph make() {
    draft_.graph.name = "random";
    add_inputs();
    for (int steps = 4 + draft_.pick(16); steps > 0; --steps) add_step();
    mark_outputs();
    return std::move(draft_.graph);
  }

 private:
  void add_inputs() {
    dynamic_ = draft_.options.dynamic && draft_.one_in(2);
    if (dynamic_)
      for (const char* name : {"N", "L"}) draft_.graph.symbols[name] = {SymbolKind::shape, {1 + draft_.pick(2), 3, 6}};
    const int inputs = 1 + draft_.pick(2);
    for (int i = 0; i < inputs; ++i) add_input(DataType::f32, random_shape());
    if (draft_.options.integers && draft_.pick(3) > 0)
      add_input(draft_.one_in(2) ? DataType::i64 : DataType::i32, random_shape());
    if (draft_.options.integers && draft_.one_in(4)) add_input(DataType::boolean, random_shape());
  }

  void add_input(DataType dtype, Shape shape) {
    const std::string name = "x" + std::to_string(draft_.graph.inputs().size());
    draft_.values.push_back(draft_.graph.add_input(name, {dtype, std::move(shape)}));
  }

  Dim first_extent() { return dynamic_ && draft_.pick(3) > 0 ? Dim::symbol("N") : Dim(1 + draft_.pick(2)); }
  Dim inner_extent(int least, int most) {
    return dynamic_ && draft_.one_in(4) ? Dim::symbol("L") : Dim(least + draft_.pick(most - least + 1));
  }

  Shape random_shape() {
    switch (draft_.pick(4)) {
      case 0:
      case 1:
        return {first_extent(), draft_.any_of(kChannels), inner_extent(2, 6), inner_extent(2, 6)};
      case 2:
        return {first_extent(), inner_extent(1, 5), 8};
      default:
        return {dynamic_ ? Dim::symbol("N") : Dim(2 + draft_.pick(4)), 8};
    }
  }

  std::span<const Step> steps_for(ValueId x) {
    if (draft_.one_in(4)) return move_steps();
    if (draft_.holds_booleans(x)) return boolean_steps();
    if (draft_.holds_integers(x)) return integer_steps();
    if (draft_.options.branches && draft_.one_in(24)) return branch_steps();
    if (draft_.options.integers && draft_.one_in(6)) return mixed_steps();
    if (draft_.rank(x) == 4 && draft_.one_in(3)) return image_steps();
    switch (draft_.pick(4)) {
      case 0:
        return product_steps();
      case 1:
        return pattern_steps();
      default:
        return pointwise_steps();
    }
  }

  // What does not fit (extents that need not be equal, a window that may not fit) is taken back.
  void add_step() {
    const auto x = draft_.any(draft_.pick(3) > 0 ? &Draft::holds_floats : &Draft::of_any_type);
    if (!x) return;
    const std::span<const Step> steps = steps_for(*x);
    Graph before = draft_.graph.clone();
    const std::vector<ValueId> values = draft_.values;
    bool fits = true;
    try {
      steps[static_cast<size_t>(draft_.pick(static_cast<int>(steps.size())))](draft_, *x);
      fits = draft_.graph.guards.empty();
    } catch (const Error& error) {
      if (error.code() == Code::internal) throw;
      fits = false;
    }
    if (fits) return;
    draft_.graph = std::move(before);
    draft_.values = values;
  }

  // The last value, and up to two others: an intermediate value that is asked for must survive.
  void mark_outputs() {
    Graph& graph = draft_.graph;
    std::vector<ValueId> candidates;
    for (ValueId id : draft_.values)
      if (graph.value(id).producer.valid()) candidates.push_back(id);
    if (candidates.empty()) candidates.push_back(draft_.op("relu", {draft_.values[0]}));
    graph.add_output(candidates.back());
    for (int i = draft_.pick(3); i > 0; --i) {
      const ValueId id = candidates[static_cast<size_t>(draft_.pick(static_cast<int>(candidates.size())))];
      if (!graph.is_output(id)) graph.add_output(id);
    }
    graph.remove_dead();
  }

  Draft draft_;
  bool dynamic_ = false;
};

Tensor random_input(const TensorType& type, Ints extents, uint32_t seed) {
  if (type.dtype == DataType::f32) return random_tensor(std::move(extents), seed, 2);
  std::mt19937 random(seed);
  Tensor sized = Tensor::zeros(type.dtype, extents);
  return Tensor::make(type.dtype, std::move(extents), [&](std::byte* out) {
    for (int64_t i = 0; i < sized.element_count(); ++i) {
      const int64_t value = static_cast<int64_t>(random() % 17) - 8;
      if (type.dtype == DataType::boolean)
        out[i] = std::byte{value > 0};
      else if (type.dtype == DataType::i64)
        reinterpret_cast<int64_t*>(out)[i] = value;
      else
        reinterpret_cast<int32_t*>(out)[i] = static_cast<int32_t>(value);
    }
  });
}

}  // namespace

Graph random_graph(uint32_t seed, const RandomOptions& options) { return Generator(seed, options).make(); }

SymbolValues random_extents(const Graph& graph, int choice, uint32_t seed) {
  std::mt19937 random(seed);
  SymbolValues values;
  for (const auto& [name, info] : graph.symbols) {
    const auto& [least, tuned, most] = info.range;
    const int64_t any = least + static_cast<int64_t>(random() % static_cast<uint32_t>(most - least + 1));
    values[name] = choice == 0 ? least : choice == 1 ? most : any;
  }
  return values;
}

std::map<std::string, Tensor> random_inputs(const Graph& graph, const SymbolValues& extents, uint32_t seed) {
  std::map<std::string, Tensor> inputs;
  for (ValueId id : graph.inputs()) {
    const Value& value = graph.value(id);
    inputs[value.name] = random_input(value.type, value.type.shape.evaluate(extents), seed++);
  }
  return inputs;
}

}  // namespace planish::testing
