// Operators that networks rarely have, on a GPU against the reference kernels.

#include "cuda/support.h"

namespace planish {
namespace {

using namespace cuda_testing;

// One node of these operands: constants where they have no name.
struct Operands {
  Inputs inputs;
  std::vector<std::pair<std::string, Tensor>> list;

  Operands& input(const std::string& name, Tensor tensor) {
    inputs[name] = tensor;
    list.emplace_back(name, std::move(tensor));
    return *this;
  }
  Operands& constant(Tensor tensor) {
    list.emplace_back("", std::move(tensor));
    return *this;
  }
  Operands& absent() {
    list.emplace_back("absent", Tensor());
    return *this;
  }
};

void check_node(const char* op, const Operands& operands, const Attrs& attrs, Check check = {}, size_t results = 1) {
  compare(
      [&] {
        Graph g;
        std::vector<ValueId> ids;
        for (const auto& [name, tensor] : operands.list)
          ids.push_back(!tensor.present() ? ValueId{}
                        : name.empty()    ? g.add_constant(tensor)
                                          : g.add_input(name, tensor.type()));
        std::vector<std::string> names;
        for (size_t i = 0; i < results; ++i) names.push_back(fmt::format("y{}", i));
        const NodeId node = add_node(g, op, ids, attrs, {}, static_cast<int>(results), names);
        for (ValueId output : g.node(node).outputs) g.add_output(output);
        return g;
      },
      operands.inputs, op + attrs.str(), check);
}

Tensor doubles(std::vector<int64_t> extents, uint32_t seed) {
  return as_type(random_tensor(std::move(extents), seed), DataType::f64);
}

TEST(CudaRare, WideElements) {
  for (const char* op : {"add", "div", "pow", "max"}) {
    const Tensor a = as_type(integers({3, 40}, 1, 1, 9), DataType::f64),
                 b = as_type(integers({3, 40}, 2, 1, 5), DataType::f64);
    check_node(op, Operands().input("a", a).input("b", b), {}, {1e-7});
  }
  for (const char* op : {"exp", "tanh", "erf", "sigmoid", "sqrt", "is_inf"})
    check_node(op, Operands().input("a", as_type(integers({3, 40}, 1, 0, 9), DataType::f64)), {}, {1e-7});
  for (DataType type : {DataType::i32, DataType::i64, DataType::u64, DataType::u8, DataType::i8})
    for (const char* op : {"div", "mod", "mul", "less", "min"}) {
      const bool is_signed = is_signed_integer(type);
      const Tensor a = as_type(integers({3, 40}, 1, is_signed ? -90 : 0, 90), type),
                   b = as_type(integers({3, 40}, 2, 1, is_signed ? 7 : 9), type);
      check_node(op, Operands().input("a", a).input("b", b), {}, {0});
    }
  check_node(
      "pow",
      Operands().input("a", integers({3, 40}, 1, 1, 4)).input("b", as_type(integers({3, 40}, 2, 0, 3), DataType::i64)),
      {}, {1e-6});
}

TEST(CudaRare, CastsOfWideElements) {
  for (DataType from : {DataType::f64, DataType::u64, DataType::i64})
    for (DataType to :
         {DataType::f32, DataType::f16, DataType::f64, DataType::u64, DataType::i32, DataType::u8, DataType::boolean})
      check_node("cast", Operands().input("a", as_type(integers({3, 40}, 1, 0, 300), from)), {{"to", to}}, {0});
}

TEST(CudaRare, ReductionsOfAnyElements) {
  for (const char* op : {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod", "reduce_l1",
                         "reduce_l2", "reduce_sum_square", "reduce_log_sum_exp"})
    for (int64_t keep : {0, 1})
      check_node(op, Operands().input("x", doubles({3, 5, 4}, 1)).constant(index_list({2}, {0, -1})),
                 {{"keepdims", keep}}, {1e-7});
  check_node("reduce_log_sum_exp", Operands().input("x", random_tensor({3, 5, 4}, 1)), {});
  check_node("reduce_sum", Operands().input("x", as_type(integers({3, 5, 4}, 1), DataType::i64)), {}, {0});
}

TEST(CudaRare, RunningSumsOfDoubles) {
  check_node("cum_sum", Operands().input("x", doubles({3, 300}, 1)).constant(Tensor::scalar<int64_t>(1)), {}, {1e-7});
  check_node("cum_prod", Operands().input("x", doubles({30, 3}, 1)).constant(Tensor::scalar<int64_t>(0)), {}, {1e-7});
}

TEST(CudaRare, GemmOfComputedOperands) {
  for (int64_t a : {0, 1})
    for (int64_t b : {0, 1}) {
      const Tensor left = integers(a != 0 ? std::vector<int64_t>{7, 5} : std::vector<int64_t>{5, 7}, 1),
                   right = integers(b != 0 ? std::vector<int64_t>{9, 7} : std::vector<int64_t>{7, 9}, 2);
      check_node("gemm", Operands().input("a", left).input("b", right).input("c", integers({9}, 3)),
                 {{"transA", a}, {"transB", b}, {"alpha", 0.5}, {"beta", 2.0}}, {0});
    }
}

TEST(CudaRare, ProductsOfWideElements) {
  struct Case {
    std::vector<int64_t> a, b;
  };
  for (DataType type : {DataType::f64, DataType::i32, DataType::i64})
    for (const Case& c : {Case{{2, 3, 5, 7}, {3, 7, 4}}, Case{{5, 7}, {7}}, Case{{7}, {2, 7, 3}}, Case{{9}, {9}}})
      check_node("matmul",
                 Operands().input("a", as_type(integers(c.a, 1), type)).input("b", as_type(integers(c.b, 2), type)), {},
                 {0});
}

TEST(CudaRare, Determinants) {
  for (const std::vector<int64_t>& extents : {std::vector<int64_t>{3, 3}, {2, 4, 5, 5}, {2, 40, 40}})
    check_node("det", Operands().input("x", random_tensor(extents, 1)), {}, {1e-4});
  check_node("det", Operands().input("x", Tensor::of<float>({2, 2}, std::vector<float>{2, 4, 1, 2})), {}, {0});
}

TEST(CudaRare, NumbersByTheirExtremes) {
  for (const std::vector<int64_t>& extents : {std::vector<int64_t>{3, 5}, {60, 700, 3}, {1}})
    for (int64_t rows : {0, 1})
      for (int64_t symmetric : {0, 1})
        check_node("dynamic_quantize_linear", Operands().input("x", random_tensor(extents, 1)),
                   {{"rows", rows}, {"symmetric", symmetric}}, {0}, 3);
  check_node("dynamic_quantize_linear", Operands().input("x", Tensor::of<float>({4}, std::vector<float>(4, 0.0f))), {},
             {0}, 3);
  check_node("dynamic_quantize_linear",
             Operands().input("x", Tensor::of<float>({3}, std::vector<float>{-1, INFINITY, 2})), {}, {0}, 3);
}

TEST(CudaRare, FourierTransforms) {
  for (int64_t inverse : {0, 1}) {
    check_node("dft",
               Operands().input("x", random_tensor({2, 12, 5, 2}, 1)).absent().constant(Tensor::scalar<int64_t>(1)),
               {{"inverse", inverse}}, {1e-6});
    check_node("dft",
               Operands()
                   .input("x", random_tensor({2, 9, inverse != 0 ? 2 : 1}, 1))
                   .absent()
                   .constant(Tensor::scalar<int64_t>(1)),
               {{"inverse", inverse}, {"onesided", int64_t{1}}}, {1e-6});
  }
}

TEST(CudaRare, CarriedStates) {
  for (const char* rule : {"linear", "gated", "delta", "gated_delta"}) {
    Operands o;
    o.input("q", random_tensor({2, 6, 4 * 8}, 1))
        .input("k", random_tensor({2, 6, 2 * 8}, 2))
        .input("v", random_tensor({2, 6, 2 * 5}, 3));
    o.input("s", random_tensor({2, 2, 8, 5}, 4))
        .input("g", random_tensor({2, 6, 2 * 8}, 5))
        .input("b", random_tensor({2, 6, 2}, 6));
    check_node("linear_attention", o,
               {{"q_num_heads", int64_t{4}}, {"kv_num_heads", int64_t{2}}, {"update_rule", std::string(rule)}}, {1e-5},
               2);
  }
}

TEST(CudaRare, RecurrentNetworks) {
  for (const auto& [op, gates, outputs] : {std::tuple("rnn", 1, 2), std::tuple("gru", 3, 2), std::tuple("lstm", 4, 3)})
    for (const char* direction : {"forward", "reverse", "bidirectional"}) {
      const int64_t d = std::string(direction) == "bidirectional" ? 2 : 1, h = 37;
      Operands o;
      o.input("x", random_tensor({5, 3, 11}, 1)).constant(random_tensor({d, gates * h, 11}, 2, 0.3f));
      o.constant(random_tensor({d, gates * h, h}, 3, 0.2f)).constant(random_tensor({d, 2 * gates * h}, 4));
      o.input("lengths", as_type(integers({3}, 5, 0, 5), DataType::i32)).input("h", random_tensor({d, 3, h}, 6));
      if (gates == 4) o.input("c", random_tensor({d, 3, h}, 7)).constant(random_tensor({d, 3 * h}, 8));
      Attrs attrs = {{"direction", std::string(direction)}, {"hidden_size", h}, {"clip", 1.5}};
      if (gates == 3) attrs.set("linear_before_reset", int64_t{d == 2});
      if (gates == 4) attrs.set("input_forget", int64_t{d == 2});
      check_node(op, o, attrs, {1e-5}, static_cast<size_t>(outputs));
    }
  Operands o;
  o.input("x", random_tensor({5, 3, 11}, 1))
      .constant(random_tensor({1, 8, 11}, 2))
      .constant(random_tensor({1, 8, 8}, 3));
  for (const char* name :
       {"Relu", "HardSigmoid", "Elu", "LeakyRelu", "Softsign", "ScaledTanh", "Affine", "ThresholdedRelu", "Softplus"})
    check_node("rnn", o, {{"hidden_size", int64_t{8}}, {"activations", std::vector<std::string>{name}}, {"clip", 2.0}},
               {1e-5}, 2);
}

TEST(CudaRare, Sampling) {
  for (const char* mode : {"nearest", "linear", "cubic"})
    for (const char* padding : {"zeros", "border", "reflection"})
      for (int64_t corners : {0, 1}) {
        const Attrs attrs = {
            {"mode", std::string(mode)}, {"padding_mode", std::string(padding)}, {"align_corners", corners}};
        check_node(
            "grid_sample",
            Operands().input("x", random_tensor({2, 3, 6, 7}, 1)).input("g", random_tensor({2, 4, 5, 2}, 2, 1.3f)),
            attrs, {1e-4});
        if (std::string(mode) != "cubic")
          check_node("grid_sample",
                     Operands()
                         .input("x", random_tensor({1, 2, 4, 6, 5}, 1))
                         .input("g", random_tensor({1, 3, 4, 5, 3}, 2, 1.3f)),
                     attrs, {1e-4});
      }
  for (int64_t corners : {0, 1})
    check_node("affine_grid",
               Operands().input("t", random_tensor({2, 2, 3}, 1)).constant(index_list({4}, {2, 3, 5, 6})),
               {{"align_corners", corners}}, {1e-6});
}

TEST(CudaRare, Regions) {
  const Tensor rois = Tensor::of<float>({3, 4}, std::vector<float>{0, 0, 9, 9, 1.5f, 2.25f, 6, 7, 3, 3, 3.5f, 3.5f});
  for (const char* mode : {"avg", "max"})
    for (const char* coordinates : {"half_pixel", "output_half_pixel"})
      for (int64_t ratio : {0, 2})
        check_node("roi_align",
                   Operands()
                       .input("x", random_tensor({2, 3, 10, 12}, 1))
                       .input("r", rois)
                       .input("n", index_list({3}, {0, 1, 1})),
                   {{"mode", std::string(mode)},
                    {"coordinate_transformation_mode", std::string(coordinates)},
                    {"output_height", int64_t{3}},
                    {"output_width", int64_t{4}},
                    {"sampling_ratio", ratio},
                    {"spatial_scale", 0.75}},
                   {1e-5});
}

TEST(CudaRare, DisplacedTapsAndBlocks) {
  Operands o;
  o.input("x", random_tensor({2, 4, 7, 8}, 1))
      .constant(random_tensor({6, 2, 3, 3}, 2))
      .input("o", random_tensor({2, 36, 7, 8}, 3));
  o.constant(random_tensor({6}, 4)).input("m", random_tensor({2, 18, 7, 8}, 5));
  check_node("deform_conv", o,
             {{"pads", std::vector<int64_t>(4, 1)}, {"group", int64_t{2}}, {"offset_group", int64_t{2}}}, {1e-5});
  check_node("col2im",
             Operands()
                 .input("x", integers({2, 3 * 6, 12}, 1))
                 .constant(index_list({2}, {5, 5}))
                 .constant(index_list({2}, {2, 3})),
             {}, {0});
}

TEST(CudaRare, WindowsOfOtherNorms) {
  const Attrs windows = {{"kernel_shape", std::vector<int64_t>{3, 2}},
                         {"strides", std::vector<int64_t>{2, 1}},
                         {"pads", std::vector<int64_t>{1, 0, 1, 1}}};
  for (int64_t p : {1, 2, 3}) {
    Attrs attrs = windows;
    attrs.set("p", p);
    check_node("lp_pool", Operands().input("x", random_tensor({2, 3, 7, 8}, 1)), attrs, {1e-5});
  }
  for (int64_t order : {0, 1}) {
    Attrs attrs = windows;
    attrs.set("storage_order", order);
    check_node("max_pool", Operands().input("x", random_tensor({2, 3, 7, 8}, 1)), attrs, {0}, 2);
  }
}

TEST(CudaRare, NormalisationsByGivenStatistics) {
  Operands o;
  o.input("x", random_tensor({2, 3, 4, 5}, 1));
  for (const char* name : {"scale", "bias", "mean"}) o.input(name, random_tensor({3}, 2));
  o.input("variance", Tensor::of<float>({3}, std::vector<float>{0.5f, 1, 2}));
  check_node("batch_normalization", o, {}, {1e-6});
}

TEST(CudaRare, Ranges) {
  const auto check = [&](DataType type, float start, float limit, float step) {
    const Tensor x = integers({3}, 1);
    compare(
        [&] {
          Graph g;
          std::vector<ValueId> ids;
          for (float value : {start, limit, step})
            ids.push_back(g.add_constant(as_type(Tensor::scalar<float>(value), type)));
          g.add_output(add_op(g, "neg", {g.add_input("x", x.type())}, {}, "neg"));
          g.add_output(add_op(g, "range", ids, {}, "range"));
          return g;
        },
        {{"x", x}}, "range", {0, false});
  };
  check(DataType::f32, 0.5f, 100, 0.25f);
  check(DataType::i64, 90, -7, -3);
}

TEST(CudaRare, SameBits) {
  check_node("bit_cast", Operands().input("x", random_tensor({3, 40}, 1)), {{"to", DataType::i32}}, {0});
  Operands bounds;
  bounds.input("x", as_type(integers({3, 40}, 1, -50, 50), DataType::i8))
      .absent()
      .input("high", as_type(Tensor::scalar<float>(9), DataType::i8));
  check_node("clip", bounds, {}, {0});
}

}  // namespace
}  // namespace planish
