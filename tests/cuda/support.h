#pragma once
// CUDA kernels beside the reference kernels, for the tests of this folder.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>

#include "compile/build.h"
#include "compile/emitter.h"
#include "compile/narrow_half.h"
#include "compile/pipeline.h"
#include "device/accelerator.h"
#include "device/cuda/driver.h"
#include "device/cuda/nvrtc.h"
#include "support/forced.h"
#include "support/networks.h"
#include "tactics/tactic.h"

namespace planish::cuda_testing {

using testing::random_tensor;
using Inputs = std::map<std::string, Tensor>;

inline std::shared_ptr<Device> gpu() {
  static const std::shared_ptr<Device> device = [] {
    const cuda::DriverOrReason& found = cuda::driver();
    if (found.driver == nullptr) {
      std::printf("plans are built and not run: %s\n", found.reason.c_str());
      return std::shared_ptr<Device>();
    }
    return create_cuda_device(0, 2);
  }();
  return device;
}

inline std::string arch() { return gpu() == nullptr ? "sm_90a" : gpu()->accelerator()->arch(); }

inline bool can_compile() {
  if (cuda::nvrtc_missing().empty()) return true;
  std::printf("nothing is built: %s\n", cuda::nvrtc_missing().c_str());
  return false;
}

inline Tensor integers(std::vector<int64_t> extents, uint32_t seed, int least = -4, int most = 4) {
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<size_t>(make_view(nullptr, DataType::f32, extents).element_count()));
  for (float& value : values)
    value = static_cast<float>(least + static_cast<int>(random() % static_cast<uint32_t>(most - least + 1)));
  return Tensor::of<float>(std::move(extents), values);
}

inline Tensor index_list(std::vector<int64_t> extents, const std::vector<int64_t>& values) {
  return Tensor::of<int64_t>(std::move(extents), values);
}

inline Tensor as_type(const Tensor& tensor, DataType type) {
  if (tensor.dtype() == type) return tensor;
  return Tensor::make(type, tensor.extents(), [&](std::byte* out) {
    const TensorView to = make_view(out, type, tensor.extents()), from = tensor.view();
    for (int64_t i = 0; i < tensor.element_count(); ++i)
      is_float(type) ? store_double(to, i, load_double(from, i))
                     : store_int(to, i, static_cast<int64_t>(load_double(from, i)));
  });
}

inline std::set<std::string> candidates_of(const Graph& graph) {
  std::set<std::string> names;
  for (NodeId id : graph.nodes())
    for (const Candidate& candidate :
         cuda_tactics().propose_fast({graph, graph.node(id), active_isa(), 2, {}, arch()}).candidates)
      names.insert(candidate.name);
  return names;
}

inline Plan read_back(const Plan& plan) {
  const auto bytes = std::make_shared<std::vector<std::byte>>(serialize(plan));
  return deserialize(*bytes, bytes);
}

inline int launches(const std::vector<Step>& steps) {
  int count = 0;
  for (const Step& step : steps) count += step.kind == StepKind::launch ? 1 : 0;
  return count;
}

// `optimize`: through the passes; else as it stands, which keeps 16-bit storage. tolerance 0: exactly equal.
struct Check {
  double tolerance = 1e-5;
  bool optimize = true;
  bool on_device = true;  // nothing is left to the host
  bool halves = false;    // with `optimize`: as a build in fp16 has it, with what its passes fuse
};

inline void expect_equal(const Inputs& found, const Inputs& expected, double tolerance, const std::string& what) {
  for (const auto& [name, tensor] : expected) {
    ASSERT_EQ(found.at(name).extents(), tensor.extents()) << what;
    if (is_float(tensor.dtype()) && tolerance > 0)
      EXPECT_LE(testing::relative_l2(as_type(found.at(name), DataType::f32), as_type(tensor, DataType::f32)), tolerance)
          << what;
    else
      EXPECT_EQ(found.at(name), tensor) << what;
  }
}

template <class MakeGraph>
void compare(MakeGraph make, const Inputs& inputs, const std::string& what, Check check = {}) {
  if (!can_compile()) return;
  auto host = create_cpu_device(2);
  BuildOptions plain;
  plain.optimize = false;
  const auto expected = testing::run(build(make(), *host, plain), inputs);
  Graph graph = make();
  infer_all(graph);
  if (check.optimize) run_pipeline(graph, pipeline(true, check.halves), "");
  if (check.halves) {
    narrow_half(graph);
    run_pipeline(graph, half_passes(), "");
  }
  EmitOptions emit;
  emit.target.isa = active_isa();
  emit.target.threads = 2;
  emit.target.arch = arch();
  emit.fallback = !check.on_device;
  std::set<std::string> names = candidates_of(graph);
  names.insert("");  // all as estimates have it
  for (const std::string& name : names) {
    const Plan plan = read_back(name.empty() ? emit_plan(graph, emit) : testing::forced_plan(graph, emit, name));
    EXPECT_EQ(plan.target, "cuda:" + arch());
    EXPECT_GT(launches(plan.profiles[0].steps), 0) << what << " " << name;
    if (gpu() != nullptr) expect_equal(testing::run(plan, inputs, gpu()), expected, check.tolerance, what + " " + name);
  }
}

template <class Inputs_>
Graph unary(const char* op, Inputs_ extents, const Attrs& attrs, std::vector<Tensor> constants = {},
            DataType type = DataType::f32) {
  Graph g;
  std::vector<ValueId> operands = {g.add_input("x", {type, Shape::of(extents)})};
  for (const Tensor& tensor : constants) operands.push_back(g.add_constant(tensor));
  g.add_output(add_op(g, op, operands, attrs, op));
  return g;
}

}  // namespace planish::cuda_testing
