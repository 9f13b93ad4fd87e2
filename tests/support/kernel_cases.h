#pragma once
// One operator on given operands: its CPU kernels, at every level the host has, against the reference kernel.

#include <gtest/gtest.h>

#include "base/cpu_features.h"
#include "support/networks.h"
#include "support/tensors.h"

namespace planish::testing {

struct KernelCase {
  std::string op;
  Attrs attrs;
  std::vector<Tensor> operands;  // not present(): an absent operand
  size_t data = 1;               // so many operands are inputs of the network, the rest constants
  bool channels_last = false;    // inputs of rank 3 and more lie so
};

inline std::vector<std::string> host_levels() {
  std::vector<std::string> names;
  for (Isa isa : kIsas)
    if (cpu_info().has(isa)) names.emplace_back(isa_name(isa));
  return names;
}

// Rounded; small integers stay what they are.
inline Tensor as_bf16(const Tensor& tensor) {
  return Tensor::make(DataType::bf16, tensor.extents(), [&](std::byte* out) {
    std::ranges::transform(tensor.as<float>(), reinterpret_cast<BFloat16*>(out), to_bfloat16);
  });
}

inline std::string listed(const std::vector<int64_t>& values) {
  std::string text;
  for (int64_t value : values) text += (text.empty() ? "" : ",") + std::to_string(value);
  return text;
}

inline Tensor rotated(const Tensor& tensor) {
  TensorView view = tensor.view();
  const auto perm = rotation(tensor.rank(), true);
  for (size_t i = 0; i < perm.size(); ++i) {
    view.dims[i] = tensor.view().dims[static_cast<size_t>(perm[i])];
    view.strides[i] = tensor.view().strides[static_cast<size_t>(perm[i])];
  }
  return Tensor::copy_of(view);
}

inline Graph case_graph(const KernelCase& c, std::map<std::string, Tensor>& inputs) {
  Graph graph;
  std::vector<ValueId> operands;
  for (size_t i = 0; i < c.operands.size(); ++i) {
    const Tensor& tensor = c.operands[i];
    if (!tensor.present())
      operands.emplace_back();
    else if (i >= c.data)
      operands.push_back(graph.add_constant(tensor));
    else {
      const std::string name = "x" + std::to_string(i);
      const bool rotate = c.channels_last && tensor.rank() >= 3;
      inputs[name] = rotate ? rotated(tensor) : tensor;
      ValueId value = graph.add_input(name, inputs[name].type());
      if (rotate) value = add_op(graph, "transpose", {value}, {{"perm", rotation(tensor.rank(), false)}});
      operands.push_back(value);
    }
  }
  graph.add_output(add_op(graph, std::string_view(c.op), operands, c.attrs, "subject"));
  return graph;
}

// `make()` is built for every level and compared with its reference run; fails where no CPU kernel took part.
template <class Make>
void expect_graph_matches(Make make, const std::map<std::string, Tensor>& inputs, double tolerance,
                          const std::string& what) {
  auto device = create_cpu_device(2);
  BuildOptions plain;
  plain.optimize = false;
  const auto expected = run(build(make(), *device, plain), inputs);
  for (const std::string& level : host_levels()) {
    BuildOptions options;
    options.tuning = Tuning::off;
    options.isa = level;
    const Plan plan = build(make(), *device, options);
    bool fast = false, slow = false;
    for (const Step& step : plan.profiles[0].steps) {
      fast = fast || step.kind == StepKind::cpu;
      slow = slow || step.kind == StepKind::reference;
    }
    EXPECT_TRUE(fast && !slow) << level << " " << what << ": no CPU kernel";
    const auto found = run(plan, inputs);
    for (const auto& [name, tensor] : expected) {
      EXPECT_EQ(found.at(name).extents(), tensor.extents());
      EXPECT_LE(relative_l2(found.at(name), tensor), tolerance) << level << " " << what << ", result " << name;
    }
  }
}

inline void expect_matches(const KernelCase& c, double tolerance, const std::string& what = "") {
  std::map<std::string, Tensor> inputs;
  case_graph(c, inputs);
  const auto make = [&c] {
    std::map<std::string, Tensor> unused;
    return case_graph(c, unused);
  };
  expect_graph_matches(make, inputs, tolerance, c.op + " " + what + (c.channels_last ? " channels last" : ""));
}

}  // namespace planish::testing
