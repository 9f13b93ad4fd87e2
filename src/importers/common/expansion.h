#pragma once
// Expansion: one node or layer of a model that becomes nodes of the graph, and the small expressions that importers of
// every format write.

#include <string>
#include <vector>

#include "ir/graph.h"
#include "ops/builder.h"

namespace planish::importers {

class Expansion {
 public:
  // Constants are named after the value that is made.
  Expansion(Graph& graph, std::string name, const std::string& made)
      : graph_(graph), name_(std::move(name)), constant_name_(made + ".constant") {}

  Graph& graph() { return graph_; }
  const std::string& name() const { return name_; }
  const Value& value(ValueId id) const {
    if (!id.valid()) fail(Code::invalid_model, "an operand is missing");
    return graph_.value(id);
  }

  ValueId constant(Tensor tensor) { return graph_.add_constant(std::move(tensor), constant_name_); }
  ValueId ints(std::vector<int64_t> values) { return constant(Tensor::ints(values)); }
  // A scalar of the element type of `like`.
  ValueId scalar_like(ValueId like, double value);

  // Adds a node in the middle of an expansion.
  ValueId add(OpName op, std::vector<ValueId> inputs, Attrs attrs = {}) {
    return add_op(graph_, op, std::move(inputs), std::move(attrs), name_);
  }

 private:
  Graph& graph_;
  std::string name_, constant_name_;
};

inline const Shape& shape_of(Expansion& context, ValueId id) { return context.value(id).type.shape; }
inline DataType dtype_of(Expansion& context, ValueId id) { return context.value(id).type.dtype; }

inline ValueId scalar(Expansion& context, int64_t value) { return context.constant(Tensor::scalar<int64_t>(value)); }

// `value` itself where it has that type.
inline ValueId as(DataType type, Expansion& context, ValueId value) {
  return dtype_of(context, value) == type ? value : context.add("cast", {value}, {{"to", type}});
}

inline ValueId dims(Expansion& context, std::vector<Dim> values) {
  if (const Shape known(values); known.is_static()) return context.ints(known.extents());
  return context.add("dims", {}, {{"values", std::move(values)}});
}

inline ValueId reshaped(Expansion& context, ValueId value, std::vector<Dim> extents) {
  if (shape_of(context, value) == Shape(extents)) return value;
  return context.add("reshape", {value, dims(context, std::move(extents))}, {{"allowzero", int64_t{1}}});
}

inline ValueId transposed(Expansion& context, ValueId value, std::vector<int64_t> perm) {
  return context.add("transpose", {value}, {{"perm", std::move(perm)}});
}

// [begin, end) along an axis
inline ValueId sliced(Expansion& context, ValueId value, int64_t axis, int64_t begin, int64_t end) {
  return context.add("slice", {value, context.ints({begin}), context.ints({end}), context.ints({axis})});
}

inline ValueId scaled(Expansion& context, ValueId value, double factor) {
  return factor == 1 ? value : context.add("mul", {value, context.scalar_like(value, factor)});
}

// value + term
inline ValueId shifted(Expansion& context, ValueId value, double term) {
  return term == 0 ? value : context.add("add", {value, context.scalar_like(value, term)});
}

// x * sigmoid(alpha * x)
inline ValueId swish(Expansion& context, ValueId x, double alpha) {
  return context.add("mul", {x, context.add("sigmoid", {scaled(context, x, alpha)})});
}

// Each of `groups` rows a sample (0: a row a channel) to mean 0 and variance 1: [N, groups, rest].
ValueId normal_rows(Expansion& context, ValueId x, int64_t groups, double epsilon);
// The elements of `rows` in the shape of x.
ValueId in_shape_of(Expansion& context, ValueId rows, ValueId x);
// [C] -> [C, 1, …]: one value a channel, beside an operand of this rank.
ValueId per_channel(Expansion& context, ValueId values, int rank);

// An extent that the expansion needs as a number.
int64_t fixed_extent(Expansion& context, ValueId value, int axis, const char* what);

// (bias + alpha / size * (sum of the squares of `size` neighbouring channels)) ^ beta, of the extents of x
struct ChannelNorm {
  int64_t size;
  double alpha, beta, bias;
};
ValueId channel_divisor(Expansion& context, ValueId x, const ChannelNorm& norm);

}  // namespace planish::importers
