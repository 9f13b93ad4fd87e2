#pragma once
// Tactics: for one node, the candidate ways to compute it on a device, or the reasons why not.
//
// A file tactics/cpu/conv.cpp defines `void register_conv(TacticTable&)`; the build writes the call.
// tactics propose and emit; compile/ times, chooses, places memory.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cpu_features.h"
#include "ir/graph.h"
#include "kernels/pointwise.h"
#include "plan/plan.h"
#include "tensor/tensor.h"

namespace planish {

// What a step reads or writes while a node is emitted; compile/ maps it to a ViewDesc.
struct Operand {
  int32_t index = -1;
  bool valid() const { return index >= 0; }
};

// Where a candidate writes its steps. Implemented by the plan emitter.
class StepBuilder {
 public:
  virtual ~StepBuilder() = default;
  virtual Operand input(size_t i) = 0;  // i-th operand of the node, in the layout the candidate asked for
  virtual Operand output(size_t i) = 0;
  virtual Operand constant(const Tensor& tensor) = 0;     // packed weights and the like; equal content is stored once
  virtual Operand temporary(const TensorType& type) = 0;  // lives from its first to its last step
  virtual Operand absent() = 0;
  // The same memory as `of`, seen with other dims (a dense view of equal element count).
  virtual Operand reshaped(Operand of, const Shape& shape) = 0;
  // Positions begin, begin + step, … of one axis, `extent` of them.
  virtual Operand window(Operand of, int axis, Dim begin, Dim extent, int64_t step) = 0;
  // The same memory seen with `count` neighbours along the axis as so many times the channels (axis 1): of a dense
  // channels-last tensor, along its last axis.
  virtual Operand neighbours_joined(Operand of, int axis, int64_t count) = 0;
  // Where an operand lies: its extents, and strides and offset in expressions of them.
  virtual const ViewDesc& place(Operand of) const = 0;
  // Operations of the next step. Where none is stated, the node's first step has them all.
  virtual void flops(Dim count) = 0;
  virtual void step(StepKind kind, std::string_view kernel, Attrs params, std::vector<Operand> inputs,
                    std::vector<Operand> outputs) = 0;
};

// Requirement on one operand or result.
enum class LayoutRule : uint8_t { row_major, channels_last, any };  // any: the kernel takes any strides

inline LayoutRule rule_at(const std::vector<LayoutRule>& rules, size_t i) {
  return i < rules.size() ? rules[i] : LayoutRule::row_major;
}

struct Candidate {
  MemorySpace space = MemorySpace::host;  // of operands, results, constants and temporaries
  std::string name;                       // "winograd.f4.r4", for reports and the timing cache
  std::vector<LayoutRule> inputs;         // one a node operand; shorter: the rest is row_major
  std::vector<LayoutRule> outputs;
  double estimated_us = 0;      // roofline estimate; prunes, and decides where timing is off
  bool strided_inputs = false;  // channels_last operands may be windows of larger tensors: only channels are adjacent
  bool strided_output = false;  // output 0 may be a window of a larger tensor (a concat written in place)
  // Which f32 operands, a bit each, and whether result 0, may lie in memory as bf16.
  uint32_t half_inputs = 0;
  bool half_output = false;
  bool half_alike = false;  // operand 0 and result 0 in one type
  std::function<void(StepBuilder&)> emit;

  bool takes_half(size_t operand) const { return operand < 32 && (half_inputs >> operand & 1) != 0; }
};

constexpr uint32_t kAllOperands = ~uint32_t{0};

// Arithmetic that fp32 products may be done in besides exact fp32.
struct Precisions {
  bool tf32 = false;  // operands as two bf16 parts: 16 bits of them count; or transforms that cost as little
  bool bf16 = false;
  bool fp16 = false;  // of a GPU: values are stored so, sums are fp32
};

struct TacticQuery {
  const Graph& graph;
  const Node& node;
  Isa isa = Isa::scalar;
  int threads = 1;
  Precisions precisions;
  std::string cuda;  // architecture of the GPU to compute on ("sm_90a"); empty: none

  const Value& input(size_t i) const { return graph.value(node.inputs[i]); }
  const Value& output(size_t i) const { return graph.value(node.outputs[i]); }
  bool has_input(size_t i) const { return i < node.inputs.size() && node.inputs[i].valid(); }
  // Extents with every symbol at its `opt` value: for estimates only.
  std::vector<int64_t> typical(const Shape& shape) const;
};

class CandidateSink {
 public:
  void offer(Candidate candidate) { candidates.push_back(std::move(candidate)); }
  void refuse(std::string_view tactic, std::string reason) { refusals.emplace_back(tactic, std::move(reason)); }
  std::vector<Candidate> candidates;
  std::vector<std::pair<std::string, std::string>> refusals;
};

using TacticFn = void (*)(const TacticQuery&, CandidateSink&);

class TacticTable {
 public:
  // `op`: which operators (of a fused node: of its first body node) this function is asked for.
  void add(std::string_view op, TacticFn fn);
  // All candidates, the reference kernel last. Never empty for a node that has a reference kernel.
  CandidateSink propose(const TacticQuery& query) const;
  // The same without it: empty where nothing was offered.
  CandidateSink propose_fast(const TacticQuery& query) const;

 private:
  std::multimap<std::string, TacticFn, std::less<>> rows_;
};

const TacticTable& cpu_tactics();
const TacticTable& cuda_tactics();

// A fused node read as "one anchor, then a pointwise epilogue": conv, matmul, … with what follows it.
struct EpilogueForm {
  const Node* anchor = nullptr;        // node inside the body, or the node itself when it is not fused
  const Graph* body = nullptr;         // graph that holds the anchor
  std::vector<ValueId> anchor_inputs;  // in `graph` (the outer one)
  PointwiseProgram epilogue;           // input 0: the anchor's result; then `extras`, in order
  std::vector<ValueId> extras;         // outer values (residuals, scales); empty program: none
};
// nullopt when the body is not of that form. The anchor is node `first` of the body; operands of it that nodes in front
// of it make are not valid in anchor_inputs.
std::optional<EpilogueForm> epilogue_form(const Graph& graph, const Node& node, size_t first = 0);

}  // namespace planish
