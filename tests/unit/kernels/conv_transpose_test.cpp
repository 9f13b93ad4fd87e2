#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

struct TransposeCase {
  std::vector<int64_t> extents, kernel, strides, dilations, pads, output_padding;
  int64_t batch = 1, channels = 1, filters = 1, group = 1;  // of a group
};

Graph transpose_graph(const TransposeCase& t, bool epilogue) {
  Graph graph;
  std::vector<int64_t> x_dims = {t.batch, t.channels * t.group}, w_dims = {t.channels * t.group, t.filters};
  x_dims.insert(x_dims.end(), t.extents.begin(), t.extents.end());
  w_dims.insert(w_dims.end(), t.kernel.begin(), t.kernel.end());
  const ValueId x = graph.add_input("x", {DataType::f32, Shape::of(x_dims)});
  const ValueId w = graph.add_constant(integer_tensor(w_dims, 2)),
                b = graph.add_constant(integer_tensor({t.filters * t.group}, 3));
  const Attrs attrs = {{"strides", t.strides},
                       {"dilations", t.dilations},
                       {"pads", t.pads},
                       {"output_padding", t.output_padding},
                       {"group", t.group}};
  ValueId y = add_op(graph, "conv_transpose", {x, w, b}, attrs);
  if (epilogue) {
    const ValueId residual = graph.add_input("residual", graph.value(y).type);
    y = add_op(graph, "relu", {add_op(graph, "add", {y, residual})});
  }
  graph.add_output(y);
  return graph;
}

void check(const TransposeCase& t, bool epilogue) {
  const Graph graph = transpose_graph(t, epilogue);
  std::map<std::string, Tensor> inputs;
  for (ValueId input : graph.inputs())
    inputs[graph.value(input).name] = integer_tensor(graph.value(input).type.shape.extents(), 5);
  const std::string what = fmt::format("in {} kernel {} strides {} dilations {} pads {} + {} group {} of {} to {}",
                                       listed(t.extents), listed(t.kernel), listed(t.strides), listed(t.dilations),
                                       listed(t.pads), listed(t.output_padding), t.group, t.channels, t.filters);
  expect_graph_matches([&] { return transpose_graph(t, epilogue); }, inputs, 0, what);
}

TEST(ConvTransposeKernels, ArePhasesThatAreExactOnIntegers) {
  std::mt19937 random(17);
  for (int i = 0; i < 90; ++i) {
    TransposeCase t;
    const size_t spatial = 1 + random() % 3;
    for (size_t k = 0; k < spatial; ++k) {
      t.extents.push_back(1 + random() % 5);
      t.strides.push_back(1 + random() % 3);
      t.dilations.push_back(1 + random() % 3);
      t.kernel.push_back(1 + random() % 4);
      t.output_padding.push_back(random() % t.strides.back());
    }
    for (size_t k = 0; k < 2 * spatial; ++k) {
      const size_t axis = k % spatial;
      const int64_t whole = (t.extents[axis] - 1) * t.strides[axis] + t.dilations[axis] * (t.kernel[axis] - 1) + 1;
      t.pads.push_back(whole > 3 ? random() % 2 : 0);
    }
    t.batch = 1 + random() % 2;
    t.group = 1 + random() % 3;
    t.channels = 1 + random() % 9;
    t.filters = 1 + random() % 20;
    check(t, i % 2 == 0);
  }
}

// As many taps as strides along the last axis: its phases are columns.
TEST(ConvTransposeKernels, PhasesOfTheLastAxisAreColumns) {
  for (const int64_t stride : {2, 3})
    for (const int64_t filters : {1, 5, 16, 19})
      for (const bool epilogue : {false, true}) {
        check({{5, 7}, {2, stride}, {2, stride}, {1, 1}, {0, 0, 0, 0}, {0, 0}, 2, 7, filters, 1}, epilogue);
        check({{4, 3}, {4, stride}, {2, stride}, {1, 1}, {1, 0, 1, 0}, {0, 0}, 1, 30, filters, 1}, epilogue);
        check({{6}, {stride}, {stride}, {1}, {0, 0}, {0}, 1, 3, filters, 1}, epilogue);
      }
}

TEST(ConvTransposeKernels, AutomaticPaddingAndGivenExtents) {
  for (const char* automatic : {"SAME_UPPER", "SAME_LOWER", "NOTSET"}) {
    Attrs attrs = {{"strides", std::vector<int64_t>{2, 3}}, {"auto_pad", std::string(automatic)}};
    if (std::string(automatic) == "NOTSET") attrs.set("output_shape", std::vector<int64_t>{9, 13});
    expect_matches({"conv_transpose", attrs, {integer_tensor({1, 5, 4, 5}, 1), integer_tensor({5, 6, 3, 4}, 2)}, 1}, 0,
                   automatic);
  }
}

}  // namespace
}  // namespace planish
