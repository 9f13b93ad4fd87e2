#pragma once
// A random network while it grows.

#include <optional>
#include <random>
#include <span>
#include <vector>

#include "ops/builder.h"
#include "support/networks.h"

namespace planish::testing {

struct RandomOptions {
  bool dynamic = true;   // named extents in half of the networks
  bool integers = true;  // inputs and operators of integers and booleans
  bool branches = true;  // if
};

using Ints = std::vector<int64_t>;

struct Draft {
  std::mt19937 random;
  RandomOptions options;
  Graph graph;
  std::vector<ValueId> values;  // operands of what follows, oldest first

  int pick(int count) { return static_cast<int>(random() % static_cast<uint32_t>(count)); }
  bool one_in(int count) { return pick(count) == 0; }
  template <class T, size_t n>
  T any_of(const T (&names)[n]) {
    return names[pick(static_cast<int>(n))];
  }

  // --- values
  const TensorType& type(ValueId id) const { return graph.value(id).type; }
  const Shape& shape(ValueId id) const { return type(id).shape; }
  int rank(ValueId id) const { return shape(id).rank(); }
  bool holds_floats(ValueId id) const { return type(id).dtype == DataType::f32; }
  bool holds_integers(ValueId id) const { return is_integer(type(id).dtype); }
  bool holds_booleans(ValueId id) const { return type(id).dtype == DataType::boolean; }
  bool of_any_type(ValueId) const { return true; }
  Ints dims(ValueId id) const;  // -1: dynamic
  // The newest are the likeliest, so that chains form. Nothing where there is none.
  std::optional<ValueId> any(bool (Draft::*holds)(ValueId) const);
  // A value of this type, seldom the same one; nothing where there is none or the dice say no.
  std::optional<ValueId> another_like(ValueId id);
  // Becomes an operand where it is small: at most 4096 elements, rank 1 to 6.
  void keep(ValueId id);

  // --- nodes and constants
  ValueId op(const char* name, std::vector<ValueId> inputs, Attrs attrs = {}) {
    return add_op(graph, name, std::move(inputs), std::move(attrs));
  }
  ValueId floats(Ints dims, float scale = 1) {
    return graph.add_constant(random_tensor(std::move(dims), random(), scale));
  }
  ValueId scalar(float value) { return graph.add_constant(Tensor::scalar(value)); }
  ValueId ints(const Ints& list) { return graph.add_constant(Tensor::ints(list)); }
  ValueId cast(ValueId id, DataType to);
  // Integers low … high, of an integer type.
  ValueId integers(DataType dtype, const Ints& dims, int64_t low, int64_t high);
};

// Adds what it likes to a draft, using `x`; may add nothing. An Error takes back what it did.
using Step = void (*)(Draft&, ValueId x);

// By what x holds; every step is as likely as it is often.
std::span<const Step> pointwise_steps();  // floats
std::span<const Step> move_steps();       // any type
std::span<const Step> image_steps();      // floats of rank 4: conv, pool, resize
std::span<const Step> product_steps();    // floats: matmul, attention
std::span<const Step> pattern_steps();    // floats: reductions, and what exporters write for softmax and norms
std::span<const Step> integer_steps();
std::span<const Step> boolean_steps();
std::span<const Step> mixed_steps();  // floats, with integers and booleans beside
std::span<const Step> branch_steps();

}  // namespace planish::testing
