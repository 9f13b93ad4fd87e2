#include "sweep/judge.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compile/emitter.h"
#include "compile/pipeline.h"
#include "passes/passes.h"
#include "random/distance.h"
#include "support/forced.h"
#include "support/tensors.h"
#include "tactics/tactic.h"

namespace planish::testing {
namespace {

constexpr Precisions kPermitted{.tf32 = true, .bf16 = true};
constexpr double kTf32 = 2e-5, kBf16 = 1e-2, kWinograd4 = 1e-5;
constexpr int kTunedThreads = 2;
constexpr std::string_view kBlock = "depthwise_block";  // of convolutions that are one node

// What the arithmetic of a candidate costs: nothing on integers of few bits, but for transforms with irrational points.
double rounding_of(const std::string& candidate, bool exact) {
  if (candidate.starts_with("winograd.f4")) return kWinograd4;
  if (exact) return 0;
  return candidate.find(".bf16.") != std::string::npos  ? kBf16
         : candidate.find(".tf32") != std::string::npos ? kTf32
                                                        : 0;
}

// Tensors some elements from a multiple of 64 bytes.
class Buffer {
 public:
  Buffer(int64_t bytes, size_t offset) : memory_(static_cast<size_t>(bytes) + 64 + 32 * 8) {
    const auto address = reinterpret_cast<uintptr_t>(memory_.data());
    data_ = memory_.data() + (64 - address % 64) % 64 + offset;
    std::memset(memory_.data(), 0x7f, memory_.size());
  }
  std::byte* data() { return data_; }

 private:
  std::vector<std::byte> memory_;
  std::byte* data_;
};

std::shared_ptr<Device> device_of(int threads) {
  static std::map<int, std::shared_ptr<Device>> devices;
  std::shared_ptr<Device>& device = devices[threads];
  if (!device) device = create_cpu_device(threads);
  return device;
}

int64_t bytes_of(const TensorType& type) {
  return make_view(nullptr, type.dtype, type.shape.extents()).element_count() * element_bytes(type.dtype);
}

std::map<std::string, Tensor> run_from(const Plan& plan, const std::map<std::string, Tensor>& inputs, int threads,
                                       size_t elements) {
  auto engine = Engine::create(plan, device_of(threads));
  auto context = engine->create_context();
  std::vector<Buffer> buffers;
  buffers.reserve(plan.bindings.size());
  std::map<std::string, std::pair<Buffer*, TensorType>> outputs;
  for (const Binding& binding : engine->bindings()) {
    const int64_t bytes = bytes_of(binding.type);
    Buffer& buffer = buffers.emplace_back(bytes, elements * static_cast<size_t>(element_bytes(binding.type.dtype)));
    if (binding.is_input)
      std::memcpy(buffer.data(), inputs.at(binding.name).data(), static_cast<size_t>(bytes));
    else
      outputs[binding.name] = {&buffer, binding.type};
    context->bind(binding.name, buffer.data(), static_cast<size_t>(bytes)).raise();
  }
  context->enqueue().raise();
  std::map<std::string, Tensor> results;
  for (const auto& output : outputs) {
    Buffer& from = *output.second.first;
    const TensorType& type = output.second.second;
    results[output.first] = Tensor::make(type.dtype, type.shape.extents(), [&](std::byte* out) {
      std::memcpy(out, from.data(), static_cast<size_t>(bytes_of(type)));
    });
  }
  return results;
}

double largest_of(const Tensor& tensor) {
  double most = 0;
  if (is_float(tensor.dtype()))
    for (double value : tensor.to_doubles())
      if (std::isfinite(value)) most = std::max(most, std::abs(value));
  return most;
}

// The network with every value of it as an output.
Graph showing_all(const Graph& graph) {
  Graph all = graph.clone();
  for (NodeId node : graph.nodes())
    for (ValueId id : graph.node(node).outputs)
      if (!graph.is_output(id)) all.add_output(id);
  return all;
}

std::string difference(const Tensor& found, const Tensor& expected, Bound bound, double allowed) {
  if (found.type() != expected.type())
    return fmt::format("{}, the reference {}", found.type().str(), expected.type().str());
  const auto a = found.to_doubles(), b = expected.to_doubles();
  size_t apart_by_a_step = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    const double distance = apart(a[i], b[i]);
    apart_by_a_step += distance > 0 ? 1 : 0;
    if (!(distance <= allowed))
      return fmt::format("{} at {}: {}, the reference {}; {:.3g} apart, {:.3g} is allowed", found.type().str(), i, a[i],
                         b[i], distance, allowed);
  }
  if (bound == Bound::step && apart_by_a_step > 3 + b.size() / 100)
    return fmt::format("{}: {} of {} elements are a step apart", found.type().str(), apart_by_a_step, b.size());
  return "";
}

std::set<std::string> kernels_of(const Plan& plan) {
  std::set<std::string> names;
  for (const planish::Step& step : plan.profiles[0].steps) {
    if (step.kind == StepKind::cpu) names.insert(step.kernel);
    if (step.kind == StepKind::reference) names.insert("reference:" + step.kernel);
  }
  return names;
}

}  // namespace

Judge::Judge(const Sample& sample, uint32_t seed) : sample_(sample), seed_(seed) {
  BuildOptions plain;
  plain.optimize = false;
  const auto all = run_from(build(showing_all(sample.graph), *device_of(1), plain), sample.inputs, 1, 0);
  for (const auto& [name, tensor] : all) largest_ = std::max(largest_, largest_of(tensor));
  for (ValueId id : sample.graph.outputs())
    expected_[sample.graph.value(id).name] = all.at(sample.graph.value(id).name);
}

std::string Judge::compared(const Plan& plan, const std::string& candidate) {
  static const size_t kElements[] = {0, 4, 1, 19};
  static const int kThreads[] = {2, 3, 5};
  const int threads = kThreads[seed_ % 3];
  const auto one = run_from(plan, sample_.inputs, 1, 0),
             several = run_from(plan, sample_.inputs, threads, kElements[seed_ / 3 % 4]);
  const bool exact = sample_.bound == Bound::exact;
  const double tolerance = std::max(exact ? 0 : sample_.tolerance, rounding_of(candidate, exact && !sample_.chained));
  const auto kernels = kernels_of(plan);
  const bool of_integers =
      std::any_of(kernels.begin(), kernels.end(), [](const std::string& name) { return name.starts_with("mma_"); });
  for (const auto& [name, tensor] : expected_) {
    const Tensor& found = one.at(name);
    const double allowed = sample_.bound != Bound::step ? tolerance * largest_ : is_float(tensor.dtype()) ? 0 : 1;
    if (std::string why = difference(found, tensor, sample_.bound, allowed); !why.empty())
      return fmt::format("result {} {}", name, why);
    if (!has_equal_bits(found, several.at(name)))
      return fmt::format("result {}: other bits on {} threads", name, threads);
    if (sample_.bound != Bound::step || !of_integers || is_float(found.dtype())) continue;
    const auto [first, fresh] = integers_.try_emplace(name, candidate, found);
    if (!fresh && !has_equal_bits(first->second.second, found))
      return fmt::format("result {}: other bits than those of {}", name, first->second.first);
  }
  return "";
}

Verdict Judge::at(Isa isa, const std::string& wanted) {
  Graph graph = sample_.graph.clone();
  infer_all(graph);
  run_pipeline(graph, pipeline(true), "");
  EmitOptions emit;
  emit.target.isa = isa;
  emit.target.threads = kTunedThreads;
  emit.precisions = kPermitted;
  std::set<std::string> names = {"chosen"};
  for (NodeId id : graph.nodes())
    for (const Candidate& candidate :
         cpu_tactics().propose({graph, graph.node(id), isa, kTunedThreads, kPermitted, ""}).candidates)
      if (candidate.name != "reference") names.insert(candidate.name);
  Graph blocks = graph.clone();
  run_pipeline(blocks, {passes::fuse_depthwise()}, "");
  for (NodeId id : blocks.nodes())
    for (const Candidate& candidate :
         cpu_tactics().propose({blocks, blocks.node(id), isa, kTunedThreads, kPermitted, ""}).candidates)
      if (candidate.name.starts_with(kBlock)) names.insert(candidate.name);
  if (!wanted.empty()) names = {wanted};
  Verdict verdict;
  for (const std::string& name : names) {
    // The other nodes take what estimates choose: in exact f32, where nothing else is asked for.
    emit.precisions = rounding_of(name, false) > 0 ? kPermitted : Precisions{};
    std::string why;
    try {
      const Plan plan = name == "chosen" ? emit_plan(graph, emit)
                                         : forced_plan(name.starts_with(kBlock) ? blocks : graph, emit, name);
      verdict.kernels.merge(kernels_of(plan));
      why = compared(plan, name);
    } catch (const std::exception& error) {
      why = std::string("error: ") + error.what();
    }
    ++verdict.plans;
    if (!why.empty() && verdict.failure.empty()) verdict.failure = name + "\t" + why;
  }
  return verdict;
}

std::string bounds_in_words() {
  return fmt::format(
      "integer-filled data: equal; reals: 2e-6 to 2e-5 of the largest value by operator; tf32 {}, bf16 {}, Winograd "
      "F(4x4) {} of it, also on integers; int8 with scales that are powers of two: equal, with others: within a step, "
      "and the same bits at all levels; one thread and several, aligned buffers and others: the same bits",
      kTf32, kBf16, kWinograd4);
}

}  // namespace planish::testing
