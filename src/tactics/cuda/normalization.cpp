// Softmax along any axis; layer and RMS normalisation: a block a row.

#include "kernels/reference/normalization.h"

#include "tactics/cuda/common/simple.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

void propose_softmax(const TacticQuery& query, CandidateSink& sink) {
  const auto p = unary_problem(query, sink, "cuda.softmax");
  if (!p) return;
  const int rank = p->x.shape.rank();
  if (rank == 0) return sink.refuse("cuda.softmax", "a scalar");
  const int64_t axis = normalize_axis(p->form.anchor->attrs.get_or<int64_t>("axis", -1), rank);
  Launch launch;
  launch.kernel = "softmax";
  launch.options = {define("RANK", rank), define("AXIS", axis),
                    define("LOGARITHM", p->form.anchor->op == "log_softmax" ? 1 : 0)};
  launch.arguments = {"view:i0", "view:o0"};
  launch.grid = {floor_div(p->x.shape.element_count(), p->x.shape[static_cast<int>(axis)]), 1, 1};
  offer_unary(query, sink, *p, std::move(launch), LayoutRule::any, LayoutRule::any, 0);
}

void propose_rows(const TacticQuery& query, CandidateSink& sink) {
  const Node& node = query.node;
  const auto refuse = [&](std::string why) { sink.refuse("cuda.row_norm", std::move(why)); };
  if (node.op == "fused") return refuse("an epilogue");
  if (std::string why = refuse_types(query); !why.empty()) return refuse(std::move(why));
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (query.has_input(i) && !is_float(query.input(i).type.dtype))
      return refuse("an operand is " + query.input(i).type.str());
  const Shape& shape = query.input(0).type.shape;
  const int rank = shape.rank();
  if (rank == 0) return refuse("a scalar");
  const auto attrs = attrs_to<LayerNormAttrs>(node.attrs);
  const auto axis = static_cast<int>(normalize_axis(attrs.axis, rank));
  const bool biased = query.has_input(2);
  if (biased && query.input(2).type.dtype != query.input(1).type.dtype) return refuse("scale and bias of two types");
  if (query.node.outputs.size() > 1) return refuse("more than one result is asked for");
  Dim rows = 1;
  for (int i = 0; i < axis; ++i) rows = rows * shape[i];
  Launch launch;
  launch.kernel = "row_norm";
  launch.source = "#include \"row_norm.cuh\"\n";
  launch.options = {define("RANK", rank),
                    define("AXIS", axis),
                    define("TYPE_X", device_type(query.input(0).type.dtype)),
                    define("TYPE_S", device_type(query.input(1).type.dtype)),
                    define("TYPE_Y", device_type(query.output(0).type.dtype)),
                    define("CENTRED", node.op == "layer_normalization" ? 1 : 0),
                    define("HAS_BIAS", biased ? 1 : 0)};
  launch.arguments = {"view:i0", "spread:i1"};
  if (biased) launch.arguments.push_back("spread:i2");
  launch.arguments.push_back("view:o0");
  launch.real(attrs.epsilon);
  launch.grid = {rows, 1, 1};
  Candidate candidate;
  candidate.space = MemorySpace::device;
  candidate.name = "cuda.row_norm";
  candidate.inputs.assign(node.inputs.size(), LayoutRule::any);
  candidate.outputs = {LayoutRule::any};
  candidate.estimated_us = estimate_us(query, 0, 1);
  candidate.emit = [launch, count = biased ? size_t{3} : size_t{2}, arch = query.cuda](StepBuilder& builder) {
    std::vector<Operand> inputs;
    for (size_t i = 0; i < count; ++i) inputs.push_back(builder.input(i));
    builder.step(StepKind::launch, launch.kernel, launch.attrs(arch), std::move(inputs), {builder.output(0)});
  };
  sink.offer(std::move(candidate));
}

}  // namespace

void register_normalization(TacticTable& table) {
  table.add("softmax", propose_softmax);
  table.add("log_softmax", propose_softmax);
  table.add("layer_normalization", propose_rows);
  table.add("rms_normalization", propose_rows);
}

}  // namespace planish::tactics::cuda
