// Softmax, normalisation, reductions, positions of extremes, LSTM.

#include <cmath>

#include "support/tensors.h"
#include "sweep/sketch.h"

namespace planish::testing {
namespace {

Ints any_extents(Sketch& d, int least, int64_t most) {
  Ints extents;
  int64_t count = 1;
  for (int64_t i = d.between(least, 4); i > 0; --i) {
    extents.push_back(d.extent(std::max<int64_t>(1, std::min<int64_t>(most, 30'000 / count))));
    count *= extents.back();
  }
  return extents;
}

void softmax(Sketch& d) {
  const Ints extents = any_extents(d, 1, 300);
  d.sample.bound = Bound::rounded;
  d.finish(d.op(d.one_in(3) ? "log_softmax" : "softmax", {d.operand(extents)},
                {{"axis", d.between(0, static_cast<int64_t>(extents.size()) - 1)}}));
}

void layer_norm(Sketch& d) {
  const Ints extents = any_extents(d, 1, 300);
  const int64_t width = extents.back();
  d.sample.bound = Bound::rounded;
  d.sample.tolerance = 4e-6;
  std::vector<ValueId> operands = {d.operand(extents), d.weights({width})};
  if (d.one_in(2)) operands.push_back(d.weights({width}));
  d.finish(d.op("layer_normalization", operands, {{"axis", int64_t{-1}}, {"epsilon", 0.01}}));
}

void rms_norm(Sketch& d) {
  const Ints extents = any_extents(d, 1, 300);
  d.sample.bound = Bound::rounded;
  d.finish(d.op("rms_normalization", {d.operand(extents), d.weights({extents.back()})}, {{"epsilon", 0.01}}));
}

ValueId some_axes(Sketch& d, size_t rank) {
  Ints axes;
  for (size_t i = 0; i < rank; ++i)
    if (d.one_in(2)) axes.push_back(static_cast<int64_t>(i));
  if (axes.empty()) axes.push_back(d.pick(static_cast<int>(rank)));
  return d.ints(axes);
}

void reduction(Sketch& d) {
  static const char* const exact[] = {"reduce_sum", "reduce_max", "reduce_min", "reduce_l1", "reduce_sum_square"};
  static const char* const rounded[] = {"reduce_mean", "reduce_l2", "reduce_prod"};
  const Ints extents = any_extents(d, 1, 300);
  const bool rounds = d.one_in(3);
  const char* name = rounds ? d.any_of(rounded) : d.any_of(exact);
  if (rounds) d.sample.bound = Bound::rounded;
  const bool product = std::string_view(name) == "reduce_prod";
  if (product) d.whole = false;  // of parts of 1
  d.sample.tolerance = product ? 2e-5 : 4e-6;
  d.finish(d.op(name, {d.operand(extents), some_axes(d, extents.size())}, {{"keepdims", int64_t{d.one_in(2)}}}));
}

void position(Sketch& d) {
  const Ints extents = any_extents(d, 1, 300);
  d.sample.bound = Bound::exact;
  const ValueId x = d.one_in(2) ? d.operand(extents) : d.bytes(extents, d.one_in(2) ? DataType::u8 : DataType::i8);
  d.finish(d.op(d.one_in(2) ? "arg_max" : "arg_min", {x},
                {{"axis", d.between(0, static_cast<int64_t>(extents.size()) - 1)},
                 {"keepdims", int64_t{d.one_in(2)}},
                 {"select_last_index", int64_t{d.one_in(2)}}}));
}

// Rows of gates of an operator, and what it has beside LSTM's.
void recurrent(Sketch& d, const char* op, int64_t gates, Attrs attrs) {
  static const char* const directions[] = {"forward", "reverse", "bidirectional"};
  const bool has_cell = gates == 4;
  const std::string direction = d.any_of(directions);
  const int64_t count = direction == "bidirectional" ? 2 : 1, steps = d.between(1, 6), batch = d.between(1, 3);
  const int64_t width = d.extent(40), hidden = d.extent(70);
  d.whole = false;
  d.sample.bound = Bound::rounded;
  d.sample.tolerance = 5e-6;
  const auto state = [&] { return d.operand({count, batch, hidden}); };
  std::vector<ValueId> operands = {d.operand({steps, batch, width}), d.weights({count, gates * hidden, width}, 0.3f),
                                   d.weights({count, gates * hidden, hidden}, 0.3f),
                                   d.one_in(4) ? ValueId{} : d.weights({count, 2 * gates * hidden})};
  operands.push_back(d.one_in(2) ? ValueId{} : d.input(random_integers<int32_t>({batch}, d.random(), 0, steps)));
  const bool stated = d.one_in(2);
  operands.push_back(stated ? state() : ValueId{});
  if (has_cell) operands.push_back(stated ? state() : ValueId{});
  if (has_cell) operands.push_back(d.one_in(3) ? d.weights({count, 3 * hidden}) : ValueId{});
  attrs.set("hidden_size", hidden);
  attrs.set("direction", direction);
  std::vector<std::string> results = {"y", "y_h"};
  if (has_cell) results.push_back("y_c");
  const NodeId node = add_node(d.graph, op, operands, attrs, op, static_cast<int>(results.size()), results);
  for (ValueId output : std::vector<ValueId>(d.graph.node(node).outputs)) d.graph.add_output(output);
}

void lstm(Sketch& d) { recurrent(d, "lstm", 4, {}); }
void gru(Sketch& d) { recurrent(d, "gru", 3, {{"linear_before_reset", int64_t{d.one_in(2)}}}); }
void rnn(Sketch& d) { recurrent(d, "rnn", 1, {}); }

}  // namespace

std::span<const Family> row_families() {
  static const Family families[] = {{"softmax", softmax},   {"layer_norm", layer_norm},
                                    {"rms_norm", rms_norm}, {"reduce", reduction},
                                    {"arg", position},      {"lstm", lstm},
                                    {"gru", gru},           {"rnn", rnn}};
  return families;
}

}  // namespace planish::testing
