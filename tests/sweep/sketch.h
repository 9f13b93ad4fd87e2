#pragma once
// A random network around one operator: its operands in many places of memory, what follows it, where its result goes.

#include <functional>
#include <string>

#include "random/draft.h"

namespace planish::testing {

// How far results may be from the reference's.
enum class Bound {
  exact,    // equal values
  rounded,  // |found - expected| <= tolerance x the largest |value| of the reference run, at least 1
  step,     // integers one apart at most, at most one in a hundred of them and three more
};

struct Sample {
  Graph graph;
  std::map<std::string, Tensor> inputs;
  Bound bound = Bound::exact;
  double tolerance = 2e-6;
  bool chained = false;  // products of products: their integers have more bits than bf16
};

// Elements of these extents.
using Fill = std::function<Tensor(const Ints&)>;

struct Sketch : Draft {
  explicit Sketch(uint32_t seed);

  int64_t between(int64_t low, int64_t high) { return low + pick(static_cast<int>(high - low + 1)); }
  // Often next to a multiple of what vectors and panels hold.
  int64_t extent(int64_t most);

  // --- f32: small integers (`whole`), so that sums are exact in any order, or reals in [-1, 1] times the scale
  Tensor data(const Ints& extents, float scale = 1);
  ValueId weights(const Ints& extents, float scale = 1) { return graph.add_constant(data(extents, scale)); }
  ValueId input(Tensor values);
  // Lies dense, channels last, as a window of a larger tensor, every other element of it, spread over an axis, or is
  // the result of another kernel.
  ValueId placed(const Ints& extents, const Fill& fill);
  ValueId operand(const Ints& extents);
  ValueId bytes(const Ints& extents, DataType type);  // any of all values

  // Up to three pointwise nodes behind y: rows, residuals in any place, activations.
  ValueId followed(ValueId y);
  // An output as it is, beside another user, or a part of something larger.
  void finish(ValueId y);

  bool whole = false;
  Sample sample;  // all but the graph

 private:
  ValueId step(ValueId y);
  ValueId like(ValueId y);
};

// One in a family: what it is called, and its networks by seed.
struct Family {
  const char* name;
  void (*draw)(Sketch&);
};

std::span<const Family> conv_families();
std::span<const Family> product_families();
std::span<const Family> quantized_families();
std::span<const Family> row_families();       // softmax, normalisation, reductions, recurrent networks
std::span<const Family> movement_families();  // gathers, pads, resize, casts
std::span<const Family> pointwise_families();
std::span<const Family> pool_families();

std::vector<Family> all_families();
// Error(invalid_argument): there is no such family.
Sample draw_sample(const Family& family, uint32_t seed);

}  // namespace planish::testing
