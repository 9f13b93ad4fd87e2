#pragma once
// Small plans that hold a step of nearly every kernel, reference and fast, at every level of the host.

#include "ir/text.h"
#include "support/picture_cases.h"

namespace planish::testing {

using Ints = std::vector<int64_t>;

inline std::vector<KernelCase> matrix_cases() {
  const Attrs same = {{"pads", Ints{1, 1, 1, 1}}};
  const Tensor bias = random_tensor({6}, 3), image = random_tensor({2, 4, 5, 6}, 1);
  return {
      {"conv", same, {image, random_tensor({6, 4, 3, 3}, 2), bias}, 1, true},
      {"conv", {{"strides", Ints{2, 1}}, {"dilations", Ints{1, 2}}}, {image, random_tensor({6, 4, 2, 2}, 2)}, 1},
      {"conv", {{"group", int64_t{2}}}, {random_tensor({1, 20, 4, 4}, 1), random_tensor({6, 10, 1, 1}, 2), bias}},
      {"conv", {{"group", int64_t{4}}, {"pads", Ints{1, 1, 1, 1}}}, {image, random_tensor({4, 1, 3, 3}, 2)}},
      {"conv", {{"auto_pad", std::string("SAME_UPPER")}}, {random_tensor({1, 3, 7}, 1), random_tensor({5, 3, 4}, 2)}},
      {"conv_transpose", {{"strides", Ints{2, 2}}}, {image, random_tensor({4, 3, 3, 3}, 2), random_tensor({3}, 4)}},
      {"gemm", {{"transB", int64_t{1}}}, {random_tensor({3, 8}, 1), random_tensor({6, 8}, 2), bias}},
      {"gemm", {{"alpha", 0.5}}, {random_tensor({3, 8}, 1), random_tensor({8, 6}, 2), bias}, 3},
      {"matmul", {}, {random_tensor({2, 3, 8}, 1), random_tensor({8, 5}, 2)}},
      {"matmul", {}, {random_tensor({2, 3, 8}, 1), random_tensor({2, 8, 5}, 2)}, 2},
      {"matmul", {}, {random_integers<int32_t>({3, 4}, 1, -3, 3), random_integers<int32_t>({4}, 2, -3, 3)}, 2},
      {"lstm",
       {{"hidden_size", int64_t{5}}, {"direction", std::string("bidirectional")}},
       {random_tensor({4, 2, 3}, 1), random_tensor({2, 20, 3}, 2), random_tensor({2, 20, 5}, 3),
        random_tensor({2, 40}, 4), random_integers<int32_t>({2}, 5, 1, 4), random_tensor({2, 2, 5}, 6),
        random_tensor({2, 2, 5}, 7), random_tensor({2, 15}, 8)}},
      {"lstm",
       {{"hidden_size", int64_t{5}}, {"state_in_bytes", int64_t{1}}},
       {random_tensor({4, 2, 3}, 1), random_tensor({1, 20, 3}, 2), random_tensor({1, 20, 5}, 3)}},
      {"gru",
       {{"hidden_size", int64_t{5}}},
       {random_tensor({4, 2, 3}, 1), random_tensor({1, 15, 3}, 2), random_tensor({1, 15, 5}, 3)}},
      {"gru",
       {{"hidden_size", int64_t{5}}, {"linear_before_reset", int64_t{1}}},
       {random_tensor({4, 2, 3}, 1), random_tensor({1, 15, 3}, 2), random_tensor({1, 15, 5}, 3),
        random_tensor({1, 30}, 4), random_integers<int32_t>({2}, 5, 1, 4), random_tensor({1, 2, 5}, 6)}},
      {"rnn",
       {{"hidden_size", int64_t{5}}},
       {random_tensor({4, 2, 3}, 1), random_tensor({1, 5, 3}, 2), random_tensor({1, 5, 5}, 3)}},
  };
}

inline std::vector<KernelCase> row_cases() {
  const Tensor x = random_tensor({2, 4, 5, 6}, 1), c = random_tensor({4}, 2, 1), last = random_tensor({6}, 3);
  const Attrs window = {{"kernel_shape", Ints{3, 2}}, {"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 1, 1}}};
  std::vector<KernelCase> cases = {
      {"max_pool", window, {x}, 1, true},
      {"average_pool", window, {x}, 1, true},
      {"global_average_pool", {}, {x}},
      {"softmax", {{"axis", int64_t{1}}}, {x}},
      {"log_softmax", {}, {x}, 1, true},
      {"layer_normalization", {}, {x, last, last}},
      {"layer_normalization", {{"axis", int64_t{2}}}, {x, random_tensor({5, 6}, 4)}},
      {"rms_normalization", {}, {x, last}},
      {"batch_normalization", {}, {x, c, c, c, random_integers<float>({4}, 1, 1, 3)}, 2},
      {"arg_max", {{"axis", int64_t{2}}}, {x}},
      {"arg_min", {{"axis", int64_t{-1}}, {"keepdims", int64_t{0}}}, {x}, 1, true},
      {"quantize_linear", {}, {x, random_integers<float>({4}, 1, 1, 3), random_integers<uint8_t>({4}, 2, 0, 9)}},
      {"quantize_linear", {}, {x, Tensor::scalar(0.25f), Tensor::scalar(int8_t{3})}},
      {"dequantize_linear",
       {},
       {random_integers<int8_t>({2, 4, 5}, 1, -9, 9), c, random_integers<int8_t>({4}, 2, 0, 9)}},
      {"cast", {{"to", DataType::i32}}, {x}, 1, true},
      {"clip", {}, {x, Tensor::scalar(-1.f), Tensor::scalar(1.f)}, 2},
  };
  for (const char* op : {"reduce_sum", "reduce_max", "reduce_l2", "reduce_log_sum_exp"}) {
    cases.push_back({op, {{"keepdims", int64_t{0}}}, {x, ints_of({1, 3})}});
    cases.push_back({op, {}, {x, ints_of({-1})}});
  }
  for (const char* mode : {"nearest", "linear", "cubic"})
    cases.push_back({"resize",
                     {{"mode", std::string(mode)}},
                     {x, {}, tensor_of<float>({4}, {1, 1, 2, 1.5}), {}},
                     1,
                     mode[0] == 'l'});
  return cases;
}

inline std::vector<KernelCase> sequence_cases() {
  const Tensor x = random_tensor({3, 2, 4}, 1);
  const Attrs heads = {{"q_num_heads", int64_t{4}}, {"kv_num_heads", int64_t{2}}};
  return {
      {"gru",
       {{"clip", 2.0}},
       {x, random_tensor({1, 9, 4}, 2), random_tensor({1, 9, 3}, 3), random_tensor({1, 18}, 4)}},
      {"rnn",
       {{"direction", std::string("bidirectional")}, {"activations", std::vector<std::string>{"Relu", "Elu"}}},
       {x, random_tensor({2, 3, 4}, 2), random_tensor({2, 3, 3}, 3)}},
      {"lstm",
       {{"input_forget", int64_t{1}}, {"activations", std::vector<std::string>{"Relu", "Elu", "Affine"}}},
       {x, random_tensor({1, 12, 4}, 2), random_tensor({1, 12, 3}, 3)}},
      {"linear_attention",
       heads,
       {random_tensor({2, 3, 12}, 1), random_tensor({2, 3, 6}, 2), random_tensor({2, 3, 4}, 3),
        random_tensor({2, 2, 3, 2}, 4), random_tensor({2, 3, 6}, 5), random_tensor({2, 3, 1}, 6)},
       3},
      {"cum_sum", {}, {x, Tensor::scalar<int64_t>(1)}, 2},
      {"cum_prod", {{"reverse", int64_t{1}}}, {x, Tensor::scalar<int64_t>(-1)}, 2},
      {"cast", {{"to", DataType::i4}}, {x}},
      {"cast", {{"to", DataType::f8e4m3fn}, {"saturate", int64_t{0}}}, {x}},
      {"bit_cast", {{"to", DataType::u32}}, {x}},
      {"quantize_linear",
       {{"axis", int64_t{2}}, {"block_size", int64_t{3}}, {"output_dtype", DataType::f4e2m1}},
       {x, random_integers<float>({3, 2, 2}, 2, 1, 3)}},
      {"dequantize_linear",
       {{"axis", int64_t{1}}, {"block_size", int64_t{2}}},
       {random_integers<int8_t>({2, 4, 5}, 1, -9, 9), random_integers<float>({2, 2, 5}, 2, 1, 3)}},
  };
}

inline std::vector<KernelCase> move_cases() {
  const Tensor x = random_tensor({2, 4, 4, 6}, 1), index = random_integers<int64_t>({2, 3}, 2, -2, 1);
  return {
      {"pad", {{"mode", std::string("reflect")}}, {x, ints_of({0, 0, 1, 2, 0, 0, 3, 1})}, 1, true},
      {"pad", {}, {x, ints_of({1, -2}), Tensor::scalar(2.f), ints_of({2})}},
      {"gather", {{"axis", int64_t{1}}}, {x, index}, 2},
      {"gather_elements", {{"axis", int64_t{1}}}, {random_tensor({2, 4}, 1), index}, 2},
      {"gather_nd", {}, {x, random_integers<int64_t>({3, 2}, 2, 0, 1)}, 2},
      {"scatter_nd", {}, {x, random_integers<int64_t>({3, 2}, 2, 0, 1), random_tensor({3, 4, 6}, 3)}, 3},
      {"scatter_elements",
       {{"reduction", std::string("add")}},
       {random_tensor({2, 4}, 1), index, random_tensor({2, 3}, 3)},
       3},
      {"slice", {}, {x, ints_of({-1, 1}), ints_of({-9, 5}), ints_of({3, 1}), ints_of({-2, 1})}},
      {"concat", {{"axis", int64_t{1}}}, {x, random_tensor({2, 3, 4, 6}, 2), x}, 3},
      {"expand", {}, {random_tensor({4, 1, 6}, 1), ints_of({2, 4, 4, 6})}},
      {"tile", {}, {x, ints_of({1, 2, 1, 3})}, 1, true},
      {"transpose", {{"perm", Ints{3, 1, 0, 2}}}, {x}},
      {"reshape", {}, {x, ints_of({8, -1})}, 1, true},
      {"depth_to_space", {{"blocksize", int64_t{2}}}, {x}},
      {"space_to_depth", {{"blocksize", int64_t{2}}}, {x}, 1, true},
      {"shape", {{"start", int64_t{1}}}, {x}},
      {"size", {}, {x}},
  };
}

inline std::vector<KernelCase> element_cases() {
  const Tensor x = random_tensor({2, 3, 4}, 1), row = random_tensor({4}, 2),
               whole = random_integers<int64_t>({2, 3, 4}, 3, 1, 9), some = random_integers<int32_t>({3, 1}, 4, 1, 3);
  return {
      {"add", {}, {x, row}, 2},
      {"mul", {}, {x, random_tensor({3, 1}, 3)}, 1, true},
      {"tanh", {}, {x}},
      {"less", {}, {x, row}, 2},
      {"mod", {}, {whole, random_integers<int64_t>({4}, 3, 1, 5)}},
      {"bitwise_not", {}, {some}},
      {"where", {}, {tensor_of<bool>({4}, {true, false, true, true}), x, row}, 3},
  };
}

// Two symbols, shape arithmetic on them, a branch.
inline const char* const kGraphTexts[] = {
    R"(graph "g" (%c : bool[], %x : f32[2]) {
  %y = if(%c, %x) {} "if" : f32[2]
    region (%p : f32[2]) {
      %q = relu(%p) {} "r" : f32[2]
      return %q
    }
    region (%p : f32[2]) {
      return %p
    }
  return %y
})",
};

inline Graph ranged_graph() {
  Graph graph;
  graph.name = "ranged";
  graph.symbols["N"] = {SymbolKind::shape, {1, 2, 4}};
  graph.symbols["L"] = {SymbolKind::shape, {1, 3, 4}};
  const Dim n = Dim::symbol("N"), l = Dim::symbol("L");
  const ValueId x = graph.add_input("x", {DataType::f32, {n, l, 6}});
  const ValueId joined = add_op(graph, "concat", {x, x}, {{"axis", int64_t{1}}}, "join");
  const ValueId extents = add_op(graph, "shape", {joined}, {}, "extents");
  const ValueId scaled = add_op(graph, "matmul", {joined, graph.add_constant(random_tensor({6, 5}, 1))}, {}, "product");
  graph.add_output(add_op(graph, "softmax", {scaled}, {}, "softmax"));
  graph.add_output(add_op(graph, "add", {extents, extents}, {}, "twice"));
  return graph;
}

// The rows of x that hold something above 0, as many as there are.
inline Graph selecting_graph() {
  Graph graph;
  graph.name = "selecting";
  const ValueId x = graph.add_input("x", {DataType::f32, {6, 4}});
  const ValueId zero = graph.add_constant(Tensor::scalar(0.f), "zero");
  const ValueId places = add_op(graph, "nonzero", {add_op(graph, "greater", {x, zero})});
  const ValueId rows = add_op(graph, "gather", {places, graph.add_constant(Tensor::scalar<int64_t>(0), "first")});
  graph.add_output(add_op(graph, "softmax", {add_op(graph, "gather", {x, rows})}, {}, "softmax"));
  return graph;
}

// A state that each iteration lengthens, and its sum in rows.
inline Graph looping_graph() {
  Graph graph;
  graph.name = "looping";
  const ValueId trips = graph.add_input("trips", {DataType::i64, {}}), x = graph.add_input("x", {DataType::f32, {2}});
  const SymbolInfo info = kMeasuredSymbol;
  const Dim index = Dim::symbol(graph.fresh_symbol("i", info)), extent = Dim::symbol(graph.fresh_symbol("n", info));
  auto body = std::make_unique<Graph>();
  share_symbols(graph, *body);
  body->mutable_value(body->add_input("i", {DataType::i64, {}})).contents = std::vector<Dim>{index};
  const ValueId goes_on = body->add_input("goes_on", {DataType::boolean, {}});
  const ValueId state = body->add_input("state", {DataType::f32, {extent}});
  body->add_output(add_op(*body, "identity", {goes_on}));
  body->add_output(add_op(*body, "concat", {state, state}, {{"axis", int64_t{0}}}));
  body->add_output(add_op(*body, "reduce_sum", {state}, {{"keepdims", int64_t{0}}}));
  std::vector<std::unique_ptr<Graph>> bodies;
  bodies.push_back(std::move(body));
  const NodeId loop =
      add_region_node(graph, "loop", {trips, {}, x}, {{"carried", int64_t{1}}}, std::move(bodies), "loop", {});
  for (ValueId output : std::vector<ValueId>(graph.node(loop).outputs)) graph.add_output(output);
  return graph;
}

inline void add_plans(const Graph& graph, std::vector<Plan>& plans) {
  auto device = create_cpu_device(1);
  BuildOptions options;
  options.tuning = Tuning::off;
  for (const std::string& level : host_levels()) {
    if (parse_isa(level) > active_isa()) continue;
    options.isa = level;
    plans.push_back(build(graph.clone(), *device, options));
  }
  options.optimize = false;
  plans.push_back(build(graph.clone(), *device, options));
}

inline std::vector<Plan> plan_catalogue() {
  std::vector<Plan> plans;
  for (const auto& cases :
       {matrix_cases(), row_cases(), sequence_cases(), move_cases(), element_cases(), picture_cases()})
    for (const KernelCase& c : cases) {
      std::map<std::string, Tensor> inputs;
      const Graph graph = case_graph(c, inputs);
      if (!graph.inputs().empty()) add_plans(graph, plans);
    }
  for (const char* text : kGraphTexts) add_plans(parse_graph(text), plans);
  add_plans(small_network(), plans);
  add_plans(ranged_graph(), plans);
  add_plans(selecting_graph(), plans);
  add_plans(looping_graph(), plans);
  return plans;
}

}  // namespace planish::testing
