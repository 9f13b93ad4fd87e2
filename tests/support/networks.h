#pragma once
// Small networks and helpers that several tests share.

#include <cmath>
#include <map>
#include <random>
#include <string>

#include "compile/build.h"
#include "ops/builder.h"
#include "runtime/engine.h"

namespace planish::testing {

inline Tensor random_tensor(std::vector<int64_t> extents, uint32_t seed, float scale = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> unit(-scale, scale);
  const int64_t count = make_view(nullptr, DataType::f32, extents).element_count();
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = unit(random);
  return Tensor::of<float>(std::move(extents), values);
}

// conv + relu + max_pool + conv + residual add + relu + flatten + gemm, batch N in [1, 4].
inline Graph small_network() {
  Graph graph;
  graph.name = "small";
  graph.symbols["N"] = {SymbolKind::shape, {1, 2, 4}};
  const Attrs same = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
  const ValueId x = graph.add_input("x", {DataType::f32, {Dim::symbol("N"), 3, 8, 8}});
  const ValueId c1 = add_op(
      graph, "conv", {x, graph.add_constant(random_tensor({8, 3, 3, 3}, 1)), graph.add_constant(random_tensor({8}, 2))},
      same, "conv1");
  const ValueId r1 = add_op(graph, "relu", {c1}, {}, "relu1");
  const ValueId p1 =
      add_op(graph, "max_pool", {r1},
             {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}}, "pool1");
  const ValueId c2 = add_op(graph, "conv", {p1, graph.add_constant(random_tensor({8, 8, 3, 3}, 3))}, same, "conv2");
  const ValueId r2 = add_op(graph, "relu", {add_op(graph, "add", {c2, p1}, {}, "add")}, {}, "relu2");
  const ValueId f = add_op(graph, "flatten", {r2}, {}, "flatten");
  const ValueId y = add_op(
      graph, "gemm", {f, graph.add_constant(random_tensor({10, 128}, 4)), graph.add_constant(random_tensor({10}, 5))},
      {{"transB", int64_t{1}}}, "fc");
  graph.add_output(y);
  return graph;
}

// An output whose extents were not known before the run.
inline Tensor fetched(const Context& context, const Binding& binding) {
  std::vector<int64_t> extents;
  const void* data = nullptr;
  context.extents(binding.name, extents).raise();
  Tensor fetched = Tensor::zeros(binding.type.dtype, extents);
  if (fetched.byte_count() == 0) return fetched;
  context.output_data(binding.name, data).raise();
  return Tensor::copy_of(make_view(const_cast<void*>(data), binding.type.dtype, extents));
}

// Runs every output of a plan on these inputs.
inline std::map<std::string, Tensor> run(const Plan& plan, const std::map<std::string, Tensor>& inputs,
                                         std::shared_ptr<Device> device) {
  auto engine = Engine::create(plan, std::move(device));
  auto context = engine->create_context();
  std::map<std::string, Tensor> outputs;
  for (const auto& [name, tensor] : inputs) {
    context->set_shape(name, tensor.extents()).raise();
    context->bind(name, const_cast<std::byte*>(tensor.data()), static_cast<size_t>(tensor.byte_count())).raise();
  }
  for (const Binding& binding : engine->bindings()) {
    if (binding.is_input) continue;
    std::vector<int64_t> extents;
    if (!context->extents(binding.name, extents).ok()) continue;  // what else is wrong, the run says
    outputs[binding.name] = Tensor::zeros(binding.type.dtype, extents);
    context
        ->bind(binding.name, const_cast<std::byte*>(outputs[binding.name].data()),
               static_cast<size_t>(outputs[binding.name].byte_count()))
        .raise();
  }
  context->enqueue().raise();
  for (const Binding& binding : engine->bindings())
    if (!binding.is_input && outputs.count(binding.name) == 0) outputs[binding.name] = fetched(*context, binding);
  return outputs;
}

inline std::map<std::string, Tensor> run(const Plan& plan, const std::map<std::string, Tensor>& inputs,
                                         int threads = 2) {
  return run(plan, inputs, create_cpu_device(threads));
}

inline double relative_l2(const Tensor& found, const Tensor& expected) {
  const auto a = found.to_doubles(), b = expected.to_doubles();
  if (a.size() != b.size()) return INFINITY;
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  return difference == 0 ? 0 : std::sqrt(difference / std::max(norm, 1e-30));
}

inline Plan build_small(bool optimize, Tuning tuning = Tuning::off, const std::string& isa = "") {
  auto device = create_cpu_device(2);
  BuildOptions options;
  options.optimize = optimize;
  options.tuning = tuning;
  options.isa = isa;
  return build(small_network(), *device, options);
}

}  // namespace planish::testing
