#pragma once
// NodeSteps: the steps of one node, as its candidate writes them into a draft.

#include <functional>
#include <map>
#include <optional>

#include "base/thread_pool.h"
#include "compile/draft.h"
#include "compile/emitter.h"
#include "kernels/kernel.h"

namespace planish {

// A node, and where its values are.
struct NodeSite {
  const Graph& graph;
  const Node& node;
  const Candidate& candidate;
  Layout like;        // of results whose rule is `any`
  bool half = false;  // result 0, of f32, lies as bf16
  std::function<ViewDesc(size_t operand)> input;
  std::function<ViewDesc(size_t result, Layout, bool strided)> output;  // asked once a result
};

class NodeSteps final : public StepBuilder {
 public:
  // `pool` is only asked for its size, by kernels that declare their scratch.
  NodeSteps(PlanDraft& draft, const NodeSite& site, const EmitOptions& options, ThreadPool& pool)
      : draft_(draft), site_(site), options_(options), pool_(pool) {}

  Operand input(size_t i) override;
  Operand output(size_t i) override;
  Operand constant(const Tensor& tensor) override { return add(draft_.constant(tensor, site_.candidate.space)); }
  Operand temporary(const TensorType& type) override {
    return add(draft_.temporary(type, type.layout, site_.candidate.space));
  }
  Operand absent() override { return add({}); }
  Operand reshaped(Operand of, const Shape& shape) override;
  Operand window(Operand of, int axis, Dim begin, Dim extent, int64_t step) override;
  Operand neighbours_joined(Operand of, int axis, int64_t count) override;
  const ViewDesc& place(Operand of) const override { return view(of); }
  void flops(Dim count) override { stated_flops_ = count; }
  void step(StepKind kind, std::string_view kernel, Attrs params, std::vector<Operand> inputs,
            std::vector<Operand> outputs) override;

 private:
  Operand add(ViewDesc view);
  DataType type_of_input(size_t i, const ViewDesc& view) const;
  const ViewDesc& view(Operand operand) const { return operands_.at(static_cast<size_t>(operand.index)); }
  const Kernel& row_of(StepKind kind, std::string_view kernel) const;
  bool is_late(const Step& step) const;
  Dim take_flops();
  TensorView largest(const ViewDesc& desc) const;
  std::vector<TensorView> largest(const std::vector<ViewDesc>& descs) const;
  int64_t workspace_bytes(const Kernel& row, const Step& step) const;
  int64_t plugin_workspace(const Step& step) const;
  void report_results(uint32_t step, const std::vector<Operand>& outputs);

  PlanDraft& draft_;
  const NodeSite& site_;
  const EmitOptions& options_;
  ThreadPool& pool_;
  std::vector<ViewDesc> operands_;
  std::map<size_t, ViewDesc> outputs_;
  std::map<int32_t, size_t> results_;  // operand -> which result of the node it is
  bool counted_ = false;
  std::optional<Dim> stated_flops_;
};

}  // namespace planish
