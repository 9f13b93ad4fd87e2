#include "compile/node_steps.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "compile/views.h"
#include "ops/builder.h"
#include "runtime/prepared.h"

namespace planish {
namespace {

std::string joined_name(const Node& node) {
  std::string name;
  for (const std::string& origin : node.origins) name += (name.empty() ? "" : " + ") + origin;
  return name.empty() ? node.name : name;
}

// A plugin's version is a parameter that its tactic gives.
int32_t take_version(Attrs& params) {
  const auto version = static_cast<int32_t>(params.get<int64_t>("version"));
  params.erase("version");
  return version;
}

Dim bytes_of(const Step& step) {
  Dim bytes;
  for (const auto* views : {&step.inputs, &step.outputs})
    for (const ViewDesc& view : *views)
      if (view.buffer >= 0) bytes = bytes + Shape(view.dims).element_count() * Dim(element_bytes(view.dtype));
  return bytes;
}

}  // namespace

Operand NodeSteps::add(ViewDesc view) {
  operands_.push_back(std::move(view));
  return {static_cast<int32_t>(operands_.size()) - 1};
}

Operand NodeSteps::input(size_t i) {
  const ViewDesc view = site_.input(i);
  return add(draft_.convert(view, rule_at(site_.candidate.inputs, i), site_.candidate.strided_inputs, site_.node.name,
                            site_.candidate.space, type_of_input(i, view)));
}

// What the candidate takes: the type in which the value lies, or the one that the graph states.
DataType NodeSteps::type_of_input(size_t i, const ViewDesc& view) const {
  const ValueId id = site_.node.inputs.at(i);
  if (view.buffer < 0 || !id.valid()) return view.dtype;
  const DataType stated = site_.graph.value(id).type.dtype;
  if (site_.candidate.half_alike && i == 0) return site_.half ? DataType::bf16 : stated;
  return site_.candidate.takes_half(i) ? view.dtype : stated;
}

Operand NodeSteps::output(size_t i) {
  const LayoutRule rule = rule_at(site_.candidate.outputs, i);
  const Layout layout = rule == LayoutRule::any             ? site_.like
                        : rule == LayoutRule::channels_last ? Layout::channels_last
                                                            : Layout::row_major;
  auto [at, fresh] = outputs_.try_emplace(i);
  if (fresh) at->second = site_.output(i, layout, site_.candidate.strided_output && i == 0);
  const Operand operand = add(at->second);
  results_[operand.index] = i;
  return operand;
}

Operand NodeSteps::reshaped(Operand of, const Shape& shape) {
  ViewDesc seen = view(of);
  seen.dims = shape.dims();
  seen.strides = shape.strides(Layout::row_major);
  return add(seen);
}

Operand NodeSteps::window(Operand of, int axis, Dim begin, Dim extent, int64_t step) {
  ViewDesc part = view(of);
  const auto at = static_cast<size_t>(axis);
  part.offset = part.offset + begin * part.strides.at(at) * Dim(element_bytes(part.dtype));
  part.dims[at] = extent;
  part.strides[at] = part.strides[at] * Dim(step);
  return add(part);
}

Operand NodeSteps::neighbours_joined(Operand of, int axis, int64_t count) {
  ViewDesc seen = view(of);
  const auto at = static_cast<size_t>(axis);
  seen.dims[1] = seen.dims[1] * Dim(count);
  seen.dims[at] = floor_div(seen.dims[at], Dim(count));
  seen.strides[at] = seen.strides[at] * Dim(count);
  return add(seen);
}

void NodeSteps::step(StepKind kind, std::string_view kernel, Attrs params, std::vector<Operand> inputs,
                     std::vector<Operand> outputs) {
  const bool has_row = kind == StepKind::cpu || kind == StepKind::reference;
  const Kernel* row = has_row ? &row_of(kind, kernel) : nullptr;
  Step step;
  step.kind = kind;
  step.name = joined_name(site_.node);
  step.origins = site_.node.origins;
  step.op = site_.node.op.str();
  step.kernel = kernel;
  step.params = std::move(params);
  step.version = row != nullptr ? row->version : kind == StepKind::plugin ? take_version(step.params) : 1;
  for (Operand operand : inputs) step.inputs.push_back(view(operand));
  for (Operand operand : outputs) step.outputs.push_back(view(operand));
  step.flops = take_flops();
  step.bytes = bytes_of(step);
  if (is_late(step)) {  // the context asks the kernel for its scratch when the extents are there
    if (kind == StepKind::plugin) fail(Code::unsupported, "a plugin over extents that depend on data");
    report_results(draft_.add_step(std::move(step)), outputs);
    return;
  }
  const int64_t workspace = row != nullptr             ? workspace_bytes(*row, step)
                            : kind == StepKind::plugin ? plugin_workspace(step)
                                                       : 0;
  if (workspace > 0)
    step.workspace = draft_.temporary({DataType::u8, Shape{workspace}}, Layout::row_major, site_.candidate.space);
  report_results(draft_.add_step(std::move(step)), outputs);
}

bool NodeSteps::is_late(const Step& step) const {
  const auto waits = [this](const ViewDesc& view) { return draft_.is_late(view); };
  return std::any_of(step.inputs.begin(), step.inputs.end(), waits) ||
         std::any_of(step.outputs.begin(), step.outputs.end(), waits);
}

// Those stated for this step; where none are, the node's first step has them all.
Dim NodeSteps::take_flops() {
  const Dim flops = stated_flops_ ? *stated_flops_ : counted_ ? Dim(0) : flops_of(site_.graph, site_.node);
  stated_flops_.reset();
  counted_ = true;
  return flops;
}

const Kernel& NodeSteps::row_of(StepKind kind, std::string_view kernel) const {
  const KernelTable& table = kind == StepKind::cpu ? cpu_kernels(options_.target.isa) : reference_kernels();
  const Kernel* row = table.find(kernel);
  if (row == nullptr) fail(Code::internal, "there is no kernel '{}'", kernel);
  return *row;
}

// Without data, every extent at its own bound: no one choice of the symbols need be the largest for all of them. What
// is dense stays so.
TensorView NodeSteps::largest(const ViewDesc& desc) const {
  const auto bounds = [&](const std::vector<Dim>& dims) {
    std::vector<int64_t> values;
    for (Dim dim : dims) values.push_back(dim.upper_bound(site_.graph.symbols));
    return values;
  };
  const auto extents = bounds(desc.dims);
  checked_product(extents);
  for (Layout layout : {Layout::row_major, Layout::channels_last})
    if (is_dense(desc, layout)) return make_view(nullptr, desc.dtype, extents, layout);
  TensorView view = make_view(nullptr, desc.dtype, extents);
  const auto strides = bounds(desc.strides);
  std::copy(strides.begin(), strides.end(), view.strides.begin());
  return view;
}

std::vector<TensorView> NodeSteps::largest(const std::vector<ViewDesc>& descs) const {
  std::vector<TensorView> views;
  for (const ViewDesc& desc : descs) views.push_back(largest(desc));
  return views;
}

int64_t NodeSteps::workspace_bytes(const Kernel& row, const Step& step) const {
  if (row.workspace == nullptr) return 0;
  const auto inputs = largest(step.inputs), outputs = largest(step.outputs);
  const auto params = row.decode(step.params);
  KernelArgs args;
  args.inputs = inputs;
  args.outputs = outputs;
  args.params = params.get();
  args.pool = &pool_;
  return row.workspace(args);
}

int64_t NodeSteps::plugin_workspace(const Step& step) const {
  const auto inputs = largest(step.inputs), outputs = largest(step.outputs);
  return make_plugin(step)->workspace({inputs, outputs, nullptr, &pool_});
}

void NodeSteps::report_results(uint32_t step, const std::vector<Operand>& outputs) {
  if (options_.report == nullptr || draft_.in_body()) return;
  for (size_t k = 0; k < outputs.size(); ++k)
    if (auto at = results_.find(outputs[k].index); at != results_.end())
      options_.report->results.push_back({step, k, site_.graph.value(site_.node.outputs[at->second]).name});
}

}  // namespace planish
