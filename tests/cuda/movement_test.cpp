// What moves elements, looks along axes or changes types on a GPU, against the reference kernels.

#include "cuda/support.h"

namespace planish {
namespace {

using namespace cuda_testing;

// --- indices and order

Graph indexed(const char* op, const Tensor& data, const Tensor& indices, const std::vector<Tensor>& updates,
              const Attrs& attrs) {
  Graph g;
  std::vector<ValueId> operands = {g.add_input("x", data.type()), g.add_input("i", indices.type())};
  for (const Tensor& tensor : updates) operands.push_back(g.add_constant(tensor));
  g.add_output(add_op(g, op, operands, attrs, op));
  return g;
}

TEST(CudaKernels, GathersAndScatters) {
  const Tensor x = integers({4, 5, 6}, 1);
  const auto check = [&](const char* op, const Tensor& indices, const std::vector<Tensor>& updates,
                         const Attrs& attrs) {
    compare([&] { return indexed(op, x, indices, updates, attrs); }, {{"x", x}, {"i", indices}}, op + attrs.str(), {0});
  };
  const Tensor list = index_list({2, 3}, {0, 3, -1, 2, 2, -4}), one = Tensor::scalar<int64_t>(-2),
               elements =
                   index_list({2, 3, 4}, {0, 1, 2, 3, 3, 2, 1, 0, -1, -2, -3, -4, 0, 0, 1, 1, 2, 2, 3, 3, 0, 1, 2, 3}),
               points = index_list({3, 2}, {0, 1, 3, -1, 2, 0}),
               batched = index_list({4, 2, 1}, {0, 1, 2, 3, 4, 0, 1, 2});
  for (int64_t axis : {0, 1, 2}) check("gather", list, {}, {{"axis", axis}});
  check("gather", one, {}, {{"axis", int64_t{1}}});
  for (int64_t axis : {0, 2}) check("gather_elements", elements, {}, {{"axis", axis}});
  check("gather_nd", points, {}, {});
  check("gather_nd", batched, {}, {{"batch_dims", int64_t{1}}});
  const Tensor distinct = index_list({2, 3, 1}, {0, 1, 2, 3, -1, 0});
  check("scatter_elements", distinct, {integers({2, 3, 1}, 5)}, {{"axis", int64_t{2}}});
  for (const char* how : {"add", "mul", "max", "min"})
    check("scatter_elements", elements, {integers({2, 3, 4}, 5)},
          {{"axis", int64_t{0}}, {"reduction", std::string(how)}});
  check("scatter_elements", elements, {integers({2, 3, 4}, 5)}, {{"axis", int64_t{0}}});  // the last one stays
  check("scatter_nd", points, {integers({3, 6}, 5)}, {});
  check("scatter_nd", index_list({4, 1}, {1, 1, 0, -3}), {integers({4, 5, 6}, 5)}, {});
  check("scatter_nd", index_list({3, 1}, {1, 1, 0}), {integers({3, 5, 6}, 5)}, {{"reduction", std::string("add")}});
}

// Positions that threads of a scatter have, without a GPU: one for all updates that may meet in one place.
TEST(CudaKernels, ScattersKeepTheOrderOfWhatMeets) {
  const auto positions = [](const char* op, const Tensor& indices, std::vector<int64_t> updates, bool known) {
    Graph g;
    const ValueId x = g.add_input("x", {DataType::f32, {4, 5}});
    const ValueId i = known ? g.add_constant(indices) : g.add_input("i", indices.type());
    g.add_output(add_op(g, op, {x, i, g.add_constant(integers(std::move(updates), 5))}, {}, op));
    infer_all(g);
    EmitOptions emit;
    emit.target.isa = active_isa();
    emit.target.threads = 2;
    emit.target.arch = arch();
    int64_t found = -1;
    const Plan plan = emit_plan(g, emit);
    for (const Step& step : plan.profiles[0].steps)
      if (step.kernel == "indexed") found = step.params.get<std::vector<Dim>>("values").back().value();
    return found;
  };
  if (!can_compile()) return;
  const Tensor distinct = index_list({3, 1}, {1, 3, -2}), repeated = index_list({3, 1}, {1, 3, -3});
  EXPECT_EQ(positions("scatter_nd", distinct, {3, 5}, true), 15);
  EXPECT_EQ(positions("scatter_nd", repeated, {3, 5}, true), 5);
  EXPECT_EQ(positions("scatter_nd", distinct, {3, 5}, false), 5);
  EXPECT_EQ(positions("scatter_elements", index_list({2, 2}, {1, 3, 3, 1}), {2, 2}, true), 4);
  EXPECT_EQ(positions("scatter_elements", index_list({2, 2}, {1, 3, 3, -1}), {2, 2}, true), 2);
}

TEST(CudaKernels, PadsTilesAndBlocks) {
  const std::vector<int64_t> extents = {2, 8, 4, 6};
  const Tensor pads = index_list({8}, {0, 1, 2, -1, 1, 0, 3, 2});
  for (const char* mode : {"constant", "edge", "reflect", "wrap"})
    compare(
        [&] {
          return unary("pad", extents, {{"mode", std::string(mode)}}, {pads, Tensor::scalar<float>(7)});
        },
        {{"x", integers(extents, 1)}}, mode, {0});
  compare(
      [&] {
        return unary("tile", extents, {}, {index_list({4}, {1, 2, 1, 3})});
      },
      {{"x", integers(extents, 1)}}, "tile", {0});
  for (const char* mode : {"DCR", "CRD"})
    compare(
        [&] {
          return unary("depth_to_space", extents, {{"blocksize", int64_t{2}}, {"mode", std::string(mode)}});
        },
        {{"x", integers(extents, 1)}}, mode, {0});
  compare(
      [&] {
        return unary("space_to_depth", extents, {{"blocksize", int64_t{2}}});
      },
      {{"x", integers(extents, 1)}}, "space_to_depth", {0});
  for (int64_t upper : {0, 1})
    compare(
        [&] {
          return unary("trilu", std::vector<int64_t>{3, 5, 7}, {{"upper", upper}}, {Tensor::scalar<int64_t>(1)});
        },
        {{"x", integers({3, 5, 7}, 1)}}, "trilu", {0});
}

TEST(CudaKernels, OrderAlongAnAxis) {
  const std::vector<int64_t> extents = {3, 300, 4};
  const Tensor x = integers(extents, 1, -20, 20);
  for (int64_t axis : {0, 1, 2})
    for (const char* op : {"arg_max", "arg_min"})
      for (int64_t flag : {0, 1})
        compare(
            [&] {
              return unary(op, extents, {{"axis", axis}, {"keepdims", flag}, {"select_last_index", flag}});
            },
            {{"x", x}}, op, {0});
  for (int64_t exclusive : {0, 1})
    for (int64_t reverse : {0, 1})
      compare(
          [&] {
            return unary("cum_sum", extents, {{"exclusive", exclusive}, {"reverse", reverse}},
                         {Tensor::scalar<int64_t>(1)});
          },
          {{"x", x}}, "cum_sum", {0});
  for (int64_t largest : {0, 1})
    compare(
        [&] {
          Graph g;
          const NodeId node = add_node(g, "topk", {g.add_input("x", x.type()), g.add_constant(index_list({1}, {17}))},
                                       {{"axis", int64_t{1}}, {"largest", largest}}, {}, 2, {"values", "indices"});
          for (ValueId output : g.node(node).outputs) g.add_output(output);
          return g;
        },
        {{"x", x}}, "topk", {0});
}

TEST(CudaKernels, Quantisation) {
  const std::vector<int64_t> extents = {2, 3, 40};
  const Tensor scales = Tensor::of<float>({3}, std::vector<float>{0.5f, 0.25f, 1.0f}),
               one = Tensor::scalar<float>(0.03f);
  const auto steps = [](std::vector<int64_t> shape, std::vector<int8_t> values) {
    return Tensor::of<int8_t>(std::move(shape), values);
  };
  for (bool along : {false, true}) {
    const Tensor scale = along ? scales : one, zero = along ? steps({3}, {0, 1, -3}) : steps({}, {5});
    compare(
        [&] {
          return unary("quantize_linear", extents, {{"axis", int64_t{1}}}, {scale, zero});
        },
        {{"x", random_tensor(extents, 1, 9)}}, "quantize_linear", {0, false});
    compare(
        [&] {
          return unary("dequantize_linear", extents, {{"axis", int64_t{1}}}, {scale, zero}, DataType::i8);
        },
        {{"x", as_type(integers(extents, 1, -128, 127), DataType::i8)}}, "dequantize_linear", {1e-6, false});
  }
}

TEST(CudaKernels, CastsOfWholeNumbers) {
  const std::vector<int64_t> extents = {3, 40};
  const auto cast = [&](DataType from, DataType to) {
    return [=] {
      Graph g;
      g.add_output(add_op(g, "cast", {g.add_input("x", {from, Shape::of(extents)})}, {{"to", to}}, "cast"));
      return g;
    };
  };
  for (DataType to : {DataType::i8, DataType::u8, DataType::i16, DataType::i32, DataType::i64, DataType::boolean})
    compare(cast(DataType::f32, to), {{"x", random_tensor(extents, 3, 300)}}, "cast to integers", {0, false});
  for (DataType from : {DataType::i32, DataType::i64})
    compare(cast(from, DataType::f32), {{"x", as_type(integers(extents, 3, -1000000, 1000000), from)}},
            "cast to floats", {0, false});
}

}  // namespace
}  // namespace planish
