// Softmax along any axis; layer and RMS normalisation: a block a row.

#include "kernels/reference/normalization.h"

#include "tactics/cuda/common/rows.h"
#include "tactics/cuda/common/simple.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

constexpr double kSerialExtent = 64, kSerialRows = 2048;  // from there on a thread has a row
constexpr int64_t kMostWarpRow = 2048, kRowsOfBlock = 4;

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
  Dim rows = 1;
  for (int i = 0; i < rank; ++i)
    if (i != axis) rows = rows * p->x.shape[i];
  const bool serial = typical_elements(query, Shape({p->x.shape[static_cast<int>(axis)]})) <= kSerialExtent &&
                      typical_elements(query, Shape({rows})) >= kSerialRows;
  launch.options.push_back(define("SERIAL", serial ? 1 : 0));
  launch.wide(rows);
  launch.grid = {serial ? ceil_div(rows, Dim(kBlock)) : rows, 1, 1};
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
  std::vector<size_t> operands = {0, 1};
  if (biased) operands.push_back(2);
  Candidate candidate = launch_candidate(query, std::move(launch), std::move(operands), estimate_us(query, 0, 1));
  candidate.outputs = {LayoutRule::any};
  sink.offer(std::move(candidate));
}

// Rows of adjacent elements that a warp holds in registers.
std::string refuse_warp_rows(const TacticQuery& query) {
  const Node& node = query.node;
  if (node.op == "fused") return "an epilogue";
  if (node.outputs.size() > 1) return "more than one result is asked for";
  if (std::string why = refuse_types(query); !why.empty()) return why;
  const TensorType& x = query.input(0).type;
  const int rank = x.shape.rank();
  if (rank == 0 || normalize_axis(attrs_to<LayerNormAttrs>(node.attrs).axis, rank) != rank - 1)
    return "more than the last axis";
  const Dim extent = x.shape[rank - 1];
  if (!extent.is_constant() || extent.value() > kMostWarpRow || extent.value() * element_bytes(x.dtype) % 16 != 0)
    return fmt::format("rows of {} elements", extent.str());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!query.has_input(i)) continue;
    const TensorType& type = query.input(i).type;
    if (!is_float(type.dtype)) return "an operand is " + type.str();
    if (i > 0 && (type.dtype != query.input(1).type.dtype || type.shape.element_count() != extent))
      return "scale and bias of other extents or two types";
  }
  return is_float(query.output(0).type.dtype) ? "" : "its result is " + query.output(0).type.str();
}

void propose_warp_rows(const TacticQuery& query, CandidateSink& sink) {
  if (std::string why = refuse_warp_rows(query); !why.empty()) return sink.refuse("cuda.warp_norm", std::move(why));
  const Shape& shape = query.input(0).type.shape;
  const Dim extent = shape[shape.rank() - 1], rows = floor_div(shape.element_count(), extent);
  const bool biased = query.has_input(2);
  Launch launch;
  launch.kernel = "warp_norm";
  launch.source = "#include \"warp_norm.cuh\"\n";
  launch.options = {define("TYPE_X", device_type(query.input(0).type.dtype)),
                    define("TYPE_S", device_type(query.input(1).type.dtype)),
                    define("TYPE_Y", device_type(query.output(0).type.dtype)),
                    define("EXTENT", extent.value()),
                    define("CENTRED", query.node.op == "layer_normalization" ? 1 : 0),
                    define("HAS_BIAS", biased ? 1 : 0)};
  launch.arguments = {"pointer:i0", "pointer:i1"};
  if (biased) launch.arguments.push_back("pointer:i2");
  launch.arguments.push_back("pointer:o0");
  launch.real(attrs_to<LayerNormAttrs>(query.node.attrs).epsilon);
  launch.integer(rows);
  launch.block = 32 * kRowsOfBlock;
  launch.grid = {ceil_div(rows, Dim(kRowsOfBlock)), 1, 1};
  Candidate candidate = launch_candidate(query, launch, {}, estimate_us(query, 0, 1) - 0.5);
  candidate.inputs.assign(query.node.inputs.size(), LayoutRule::row_major);
  candidate.emit = [launch, biased, arch = query.cuda](StepBuilder& builder) {
    std::vector<Operand> inputs;
    for (size_t i = 0; i < (biased ? 3 : 2); ++i)
      inputs.push_back(rows_input(builder, i, LayoutRule::row_major, 16, arch));
    RowsOutput result(builder, LayoutRule::row_major, 16, arch);
    const ViewDesc& x = builder.place(inputs[0]);
    Launch complete = launch;
    complete.integer(row_pitch(x, adjacent_axis(LayoutRule::row_major, x.dims.size()), 16));
    complete.integer(result.pitch());
    builder.step(StepKind::launch, complete.kernel, complete.attrs(arch), std::move(inputs), {result.operand()});
    result.finish();
  };
  sink.offer(std::move(candidate));
}

}  // namespace

void register_normalization(TacticTable& table) {
  table.add("softmax", propose_softmax);
  table.add("log_softmax", propose_softmax);
  for (const char* op : {"layer_normalization", "rms_normalization"}) table.add(op, propose_warp_rows);
  table.add("layer_normalization", propose_rows);
  table.add("rms_normalization", propose_rows);
}

}  // namespace planish::tactics::cuda
