#include "support/kernel_cases.h"

namespace planish {
namespace {

using namespace testing;

// Batch axes of query, key, value and masks, which spread over one another.
struct Heads {
  std::vector<int64_t> query, key, value, mask, second_mask;
};

std::vector<int64_t> with_matrix(std::vector<int64_t> batch, int64_t rows, int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

KernelCase attention_case(const Heads& heads, int64_t rows, int64_t depth, int64_t keys, int64_t values, int masks,
                          bool rows_first, uint32_t seed) {
  KernelCase c{"attention", {{"scale", 0.3}, {"rows_first", int64_t{rows_first}}}, {}};
  c.operands = {random_tensor(with_matrix(heads.query, rows, depth), seed),
                random_tensor(with_matrix(heads.key, depth, keys), seed + 1),
                random_tensor(with_matrix(heads.value, keys, values), seed + 2)};
  if (masks > 0) c.operands.push_back(random_tensor(with_matrix(heads.mask, rows, keys), seed + 3, 4));
  if (masks > 1) c.operands.push_back(random_tensor(with_matrix(heads.second_mask, 1, keys), seed + 4, 4));
  c.data = c.operands.size();
  return c;
}

TEST(AttentionKernels, AnyExtentsHeadsAndMasks) {
  const std::vector<Heads> all = {{{2, 3}, {2, 3}, {2, 3}, {2, 1}, {2, 3}},
                                  {{1, 4}, {1, 4}, {1, 4}, {}, {4}},
                                  {{3, 2}, {3, 1}, {1}, {1, 2}, {}},
                                  {{5}, {5}, {5}, {5}, {1}}};
  uint32_t seed = 1;
  for (const Heads& heads : all)
    for (const auto& [rows, keys] :
         std::vector<std::pair<int64_t, int64_t>>{{1, 1}, {1, 40}, {7, 16}, {49, 49}, {50, 197}, {13, 700}})
      for (const auto& [depth, values] :
           std::vector<std::pair<int64_t, int64_t>>{{1, 1}, {32, 32}, {64, 17}, {5, 72}}) {
        const int masks = static_cast<int>(seed % 3);
        const auto c = attention_case(heads, rows, depth, keys, values, masks, seed % 2 == 0, seed * 10);
        expect_matches(c, 2e-6,
                       fmt::format("rows {} keys {} depth {} values {} masks {}", rows, keys, depth, values, masks));
        ++seed;
      }
}

// Equal scores: means of integers, in which every order of summation is exact.
TEST(AttentionKernels, MeansOfIntegersAreExact) {
  KernelCase c{"attention",
               {},
               {integer_tensor({2, 5, 8}, 1), Tensor::of<float>({2, 8, 64}, std::vector<float>(2 * 8 * 64, 0.f)),
                integer_tensor({2, 64, 33}, 2)}};
  c.data = 3;
  expect_matches(c, 0);
}

TEST(AttentionKernels, MaskedAwayKeysHaveNoWeight) {
  const float inf = std::numeric_limits<float>::infinity();
  std::vector<float> mask(static_cast<size_t>(20 * 20));
  for (size_t m = 0; m < 20; ++m)
    for (size_t n = 0; n < 20; ++n)
      mask[m * 20 + n] = n <= m ? 0.f : m % 2 == 0 ? -inf : std::numeric_limits<float>::lowest();
  KernelCase c{"attention",
               {{"scale", 0.5}},
               {random_tensor({3, 20, 8}, 1), random_tensor({3, 8, 20}, 2), random_tensor({3, 20, 8}, 3),
                Tensor::of<float>({20, 20}, mask)}};
  c.data = 3;
  expect_matches(c, 1e-6);
}

// What exporters write, with heads split off one product: views of any strides.
Graph heads_of_one_product(int64_t rows, int64_t heads, int64_t depth, bool masked) {
  Graph graph;
  const int64_t width = heads * depth;
  const ValueId x = graph.add_input("x", {DataType::f32, {1, rows, width}});
  const ValueId qkv = add_op(graph, "matmul", {x, graph.add_constant(random_tensor({width, 3 * width}, 5, 0.3))});
  const auto part = [&](int64_t i, std::vector<int64_t> perm) {
    const ValueId cut = add_op(graph, "slice",
                               {qkv, graph.add_constant(ints_of({i * width})),
                                graph.add_constant(ints_of({(i + 1) * width})), graph.add_constant(ints_of({2}))});
    const ValueId split = add_op(graph, "reshape", {cut, graph.add_constant(ints_of({1, rows, heads, depth}))});
    return add_op(graph, "transpose", {split}, {{"perm", std::move(perm)}});
  };
  ValueId scores = add_op(graph, "matmul", {part(0, {0, 2, 1, 3}), part(1, {0, 2, 3, 1})});
  scores = add_op(graph, "mul", {scores, graph.add_constant(Tensor::of<float>({}, std::vector<float>{0.25f}))});
  if (masked) scores = add_op(graph, "add", {graph.add_input("mask", {DataType::f32, {1, 1, rows, rows}}), scores});
  const ValueId y =
      add_op(graph, "matmul", {add_op(graph, "softmax", {scores}, {{"axis", int64_t{3}}}), part(2, {0, 2, 1, 3})});
  const ValueId together = add_op(graph, "transpose", {y}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  graph.add_output(add_op(graph, "reshape", {together, graph.add_constant(ints_of({rows, width}))}, {}, "y"));
  return graph;
}

TEST(AttentionKernels, AsExportersWriteIt) {
  for (int64_t rows : {1, 5, 50, 130})
    for (bool masked : {false, true}) {
      std::map<std::string, Tensor> inputs = {{"x", random_tensor({1, rows, 48}, 7)}};
      if (masked) inputs["mask"] = random_tensor({1, 1, rows, rows}, 8, 3);
      expect_graph_matches([&] { return heads_of_one_product(rows, 3, 16, masked); }, inputs, 2e-6,
                           fmt::format("{} rows", rows));
    }
}

}  // namespace
}  // namespace planish
