#pragma once
// Random small networks of the operators that passes rewrite, in the forms that exporters write.

#include <algorithm>
#include <random>

#include "support/networks.h"

namespace planish::testing {

class RandomGraph {
 public:
  explicit RandomGraph(uint32_t seed) : random_(seed) {}

  Graph make() {
    graph_.name = "random";
    const int inputs = 1 + pick(2);
    for (int i = 0; i < inputs; ++i)
      values_.push_back(graph_.add_input("x" + std::to_string(i), {DataType::f32, random_shape()}));
    const int steps = 4 + pick(16);
    for (int i = 0; i < steps; ++i) add_step();
    mark_outputs();
    return std::move(graph_);
  }

 private:
  using Ints = std::vector<int64_t>;

  int pick(int count) { return static_cast<int>(random_() % static_cast<uint32_t>(count)); }
  // The newest values are the likeliest operands, so that chains form.
  ValueId any_value() {
    const int last = static_cast<int>(values_.size()) - 1;
    return values_[static_cast<size_t>(std::max(0, last - pick(3) * pick(3)))];
  }
  Ints extents(ValueId id) const { return graph_.value(id).type.shape.extents(); }

  Shape random_shape() {
    switch (pick(3)) {
      case 0:
        return {1 + pick(2), 4, 2 + pick(5), 2 + pick(5)};
      case 1:
        return {1 + pick(2), 1 + pick(5), 8};
      default:
        return {2 + pick(4), 8};
    }
  }

  ValueId floats(Ints dims, float scale = 1) {
    return graph_.add_constant(random_tensor(std::move(dims), random_(), scale));
  }
  ValueId scalar(float value) { return graph_.add_constant(Tensor::scalar(value)); }
  ValueId ints(const Ints& list) { return graph_.add_constant(Tensor::ints(list)); }
  ValueId op(const char* name, std::vector<ValueId> inputs, Attrs attrs = {}) {
    return add_op(graph_, name, std::move(inputs), std::move(attrs));
  }

  // Values stay near 1 and tensors small.
  void keep(ValueId id) {
    const Shape& shape = graph_.value(id).type.shape;
    const int64_t count = shape.element_count().value();
    if (count > 0 && count <= 4096 && shape.rank() >= 1 && shape.rank() <= 6) values_.push_back(id);
  }

  void add_step() {
    using Step = void (RandomGraph::*)(ValueId);
    static const Step steps[] = {
        &RandomGraph::unary,         &RandomGraph::with_constant, &RandomGraph::with_value, &RandomGraph::clip,
        &RandomGraph::transpose,     &RandomGraph::transpose,     &RandomGraph::reshape,    &RandomGraph::reshape,
        &RandomGraph::conv,          &RandomGraph::conv,          &RandomGraph::pad,        &RandomGraph::pool,
        &RandomGraph::concat,        &RandomGraph::window,        &RandomGraph::product,    &RandomGraph::product,
        &RandomGraph::attention,     &RandomGraph::pattern,       &RandomGraph::reduce,     &RandomGraph::unary,
        &RandomGraph::with_constant, &RandomGraph::with_value};
    (this->*steps[pick(std::size(steps))])(any_value());
  }

  void unary(ValueId x) {
    static const char* const names[] = {"relu", "sigmoid",    "tanh", "neg",      "abs",
                                        "silu", "hard_swish", "gelu", "identity", "softsign"};
    keep(op(names[pick(std::size(names))], {x}));
  }

  // A scalar, a row, a value a channel, or a whole tensor, on either side.
  void with_constant(ValueId x) {
    Ints dims = extents(x);
    const int kind = pick(4);
    if (kind == 0) dims = pick(2) == 0 ? Ints{} : Ints{1};
    if (kind == 1) dims = {dims.back()};
    if (kind == 2)
      for (size_t i = 0; i < dims.size(); ++i)
        if (i != 1) dims[i] = 1;
    static const char* const names[] = {"add", "mul", "sub", "max", "min"};
    const ValueId c = floats(dims);
    keep(pick(2) == 0 ? op(names[pick(5)], {x, c}) : op(names[pick(5)], {c, x}));
    if (pick(4) == 0) keep(op("div", {x, scalar(pick(2) == 0 ? 4.f : 3.f)}));
  }

  void with_value(ValueId x) {
    for (size_t i = values_.size(); i-- > 0;)
      if (extents(values_[i]) == extents(x) && pick(3) > 0) {
        static const char* const names[] = {"add", "mul", "sub", "max"};
        return keep(op("tanh", {op(names[pick(4)], {x, values_[i]})}));
      }
  }

  void clip(ValueId x) {
    const ValueId low = graph_.add_constant(pick(2) == 0 ? Tensor::scalar(-0.5f) : Tensor::scalar(-0.5f).reshaped({1}));
    keep(op("clip", pick(2) == 0 ? std::vector<ValueId>{x, low} : std::vector<ValueId>{x, low, scalar(0.75f)}));
  }

  void transpose(ValueId x) {
    Ints perm(extents(x).size());
    for (size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<int64_t>(i);
    if (perm.size() == 4 && pick(2) == 0)
      perm = pick(2) == 0 ? Ints{0, 2, 3, 1} : Ints{0, 3, 1, 2};
    else
      std::shuffle(perm.begin(), perm.end(), random_);
    keep(op("transpose", {x}, {{"perm", perm}}));
  }

  void reshape(ValueId x) {
    Ints dims = extents(x);
    const auto at = static_cast<size_t>(pick(static_cast<int>(dims.size())));
    switch (pick(4)) {
      case 0:
        return keep(op("flatten", {x}, {{"axis", int64_t{pick(static_cast<int>(dims.size()) + 1)}}}));
      case 1:
        return keep(op("unsqueeze", {x, ints({static_cast<int64_t>(at)})}));
      case 2:
        if (dims[at] % 2 != 0) return;
        dims[at] /= 2;
        dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(at), 2);
        break;
      default:
        if (at + 1 >= dims.size()) return;
        dims[at] *= dims[at + 1];
        dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
    keep(op("reshape", {x, ints(dims)}));
  }

  void conv(ValueId x) {
    const Ints dims = extents(x);
    if (dims.size() != 4) return;
    const int64_t kernel = pick(2) == 0 || dims[2] < 3 || dims[3] < 3 ? 1 : 3,
                  groups = dims[1] % 2 == 0 && pick(3) == 0 ? 2 : 1;
    const int64_t border = kernel == 3 && pick(2) == 0 ? 1 : 0, filters = 4;
    const bool transposed = pick(5) == 0;
    const Ints shape =
        transposed ? Ints{dims[1], filters / groups, kernel, kernel} : Ints{filters, dims[1] / groups, kernel, kernel};
    std::vector<ValueId> operands = {x, floats(shape, 0.4f)};
    if (pick(2) == 0) operands.push_back(floats({filters}));
    ValueId y = op(transposed ? "conv_transpose" : "conv", operands, {{"group", groups}, {"pads", Ints(4, border)}});
    if (pick(2) == 0) {
      const Tensor variance = Tensor::of<float>({filters}, std::vector<float>{0.5f, 1.f, 2.f, 3.f});
      y = op("batch_normalization",
             {y, floats({filters}), floats({filters}), floats({filters}), graph_.add_constant(variance)});
    }
    keep(y);
  }

  void pad(ValueId x) {
    const Ints dims = extents(x);
    if (dims.size() != 4) return;
    Ints pads(8, 0);
    for (size_t i : {2, 3, 6, 7}) pads[i] = pick(3);
    static const float values[] = {0, 0, 1, -std::numeric_limits<float>::infinity()};
    const float value = values[pick(4)];
    const ValueId padded = op("pad", {x, ints(pads), scalar(value)});
    // Infinities go into a maximum only: elsewhere they would become NaN.
    const bool infinite = value < -1;
    if (!infinite) keep(padded);
    if (infinite || pick(2) == 0) pool_of(padded, infinite);
  }

  void pool(ValueId x) { pool_of(x, false); }
  void pool_of(ValueId x, bool maximum) {
    const Ints dims = extents(x);
    if (dims.size() != 4 || dims[2] < 3 || dims[3] < 3) return;
    const Attrs attrs = {
        {"kernel_shape", Ints{3, 3}}, {"strides", Ints(2, 1 + pick(2))}, {"pads", Ints(4, maximum ? 0 : pick(2))}};
    ValueId y = maximum || pick(2) == 0 ? op("max_pool", {x}, attrs) : op("average_pool", {x}, attrs);
    if (maximum) y = op("max", {y, scalar(-9)});
    keep(y);
  }

  void concat(ValueId x) {
    const int64_t axis = pick(static_cast<int>(extents(x).size()));
    std::vector<ValueId> parts = {x};
    for (ValueId other : values_)
      if (extents(other).size() == extents(x).size()) {
        Ints a = extents(other), b = extents(x);
        a[static_cast<size_t>(axis)] = b[static_cast<size_t>(axis)] = 0;
        if (a == b && parts.size() < 3) parts.push_back(other);
      }
    keep(op("concat", parts, {{"axis", axis}}));
  }

  void window(ValueId x) {
    const Ints dims = extents(x);
    const int64_t axis = pick(static_cast<int>(dims.size())), extent = dims[static_cast<size_t>(axis)];
    const int64_t begin = pick(static_cast<int>(extent));
    switch (pick(4)) {
      case 0:
        return keep(op("slice", {x, ints({begin}), ints({extent}), ints({axis}), ints({1 + pick(2)})}));
      case 1:
        return keep(op("gather", {x, graph_.add_constant(Tensor::scalar(begin))}, {{"axis", axis}}));
      case 2:
        return keep(op("gather", {x, ints({begin, extent - 1, 0})}, {{"axis", axis}}));
      default:
        if (extent % 2 != 0) return;
        for (ValueId part : graph_.node(add_node(graph_, "split", {x}, {{"axis", axis}}, {}, 2)).outputs) keep(part);
    }
  }

  void product(ValueId x) {
    const Ints dims = extents(x);
    if (dims.size() < 2) return;
    const int64_t columns = 4 + 4 * pick(2);
    const float scale = 1.f / static_cast<float>(std::max<int64_t>(dims.back(), 1));
    if (dims.size() == 2 && pick(2) == 0) {
      keep(op("gemm", {x, floats({columns, dims[1]}, scale), floats({columns})},
              {{"transB", int64_t{1}}, {"alpha", 0.5}}));
      return;
    }
    ValueId y = op("matmul", {pick(3) == 0 ? op("mul", {x, scalar(0.7f)}) : x, floats({dims.back(), columns}, scale)});
    if (pick(2) == 0) y = op("add", {y, floats({columns})});
    keep(y);
  }

  // q k^T and what exporters put around it.
  void attention(ValueId x) {
    const Ints dims = extents(x);
    if (dims.size() < 2) return;
    Ints perm(dims.size());
    for (size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<int64_t>(i);
    std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
    const ValueId q = pick(2) == 0 ? op("mul", {x, scalar(0.3f)}) : x;
    ValueId k = op("transpose", {pick(2) == 0 ? op("mul", {x, scalar(0.2f)}) : op("tanh", {x})}, {{"perm", perm}});
    if (pick(2) == 0) k = op("mul", {k, scalar(0.9f)});
    ValueId scores = op("matmul", {q, k});
    if (pick(2) == 0) scores = op("add", {scores, floats({extents(scores).back()})});
    keep(pick(2) == 0 ? op("softmax", {scores}) : op("tanh", {scores}));
  }

  void pattern(ValueId x) {
    const int64_t width = extents(x).back();
    const ValueId last = ints({-1});
    switch (pick(4)) {
      case 0: {
        const ValueId e = op("exp", {op("sub", {x, op("reduce_max", {x, last})})});
        return keep(op("div", {e, op("reduce_sum", {e, last})}));
      }
      case 1: {
        const ValueId d = op("sub", {x, op("reduce_mean", {x, last})});
        const ValueId root = op("sqrt", {op("add", {op("reduce_mean", {op("mul", {d, d}), last}), scalar(0.1f)})});
        return keep(op("add", {op("mul", {op("div", {d, root}), floats({width})}), floats({width})}));
      }
      case 2: {
        const ValueId root = op("sqrt", {op("add", {op("reduce_mean", {op("mul", {x, x}), last}), scalar(0.1f)})});
        return keep(op("mul", {op("mul", {x, op("reciprocal", {root})}), floats({width})}));
      }
      default:
        keep(op("div", {op("mul", {x, op("clip", {op("add", {x, scalar(3)}), scalar(0), scalar(6)})}), scalar(6)}));
    }
  }

  void reduce(ValueId x) {
    const Ints dims = extents(x);
    static const char* const names[] = {"reduce_mean", "reduce_max", "reduce_sum"};
    const int64_t axis = pick(static_cast<int>(dims.size()));
    const Ints axes = dims.size() == 4 && pick(2) == 0 ? Ints{2, 3} : Ints{axis};
    keep(op("tanh", {op(names[pick(3)], {x, ints(axes)}, {{"keepdims", int64_t{pick(3) > 0}}})}));
  }

  // The last value, and up to two others: an intermediate value that is asked for must survive.
  void mark_outputs() {
    std::vector<ValueId> candidates;
    for (ValueId id : values_)
      if (graph_.value(id).producer.valid()) candidates.push_back(id);
    if (candidates.empty()) candidates.push_back(op("relu", {values_[0]}));
    graph_.add_output(candidates.back());
    for (int i = pick(3); i > 0; --i) {
      const ValueId id = candidates[static_cast<size_t>(pick(static_cast<int>(candidates.size())))];
      if (!graph_.is_output(id)) graph_.add_output(id);
    }
    graph_.remove_dead();
  }

  std::mt19937 random_;
  Graph graph_;
  std::vector<ValueId> values_;
};

}  // namespace planish::testing
