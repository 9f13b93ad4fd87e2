// Pointwise programs: single operators and fused bodies made of nothing else, over any strides; and casts.

#include <algorithm>

#include "ops/builder.h"
#include "tactics/cuda/common/elementwise.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

constexpr size_t kMostOperands = 32;

bool takes_floats(const TacticQuery& query) {
  bool floats = is_float(query.output(0).type.dtype);
  for (size_t i = 0; i < query.node.inputs.size(); ++i) floats = floats || is_float(query.input(i).type.dtype);
  return floats;
}

// fp32 holds integers of 8 and 16 bits exactly.
std::string refuse_mixture(const TacticQuery& query, bool real) {
  for (size_t i = 0; i < query.node.inputs.size(); ++i) {
    const DataType type = query.input(i).type.dtype;
    if (real && !is_float(type) && element_bytes(type) > 2) return "an operand is " + query.input(i).type.str();
  }
  const DataType result = query.output(0).type.dtype;
  if (real && !is_float(result) && result != DataType::boolean) return "the result is " + query.output(0).type.str();
  return "";
}

void offer_elementwise(const TacticQuery& query, CandidateSink& sink, const std::string& arithmetic,
                       const std::string& body) {
  std::vector<std::string> types;
  for (size_t i = 0; i < query.node.inputs.size(); ++i) types.push_back(device_type(query.input(i).type.dtype));
  const Launch launch = elementwise_launch(arithmetic, types, device_type(query.output(0).type.dtype), body,
                                           query.output(0).type.shape.element_count());
  Candidate candidate;
  candidate.space = MemorySpace::device;
  candidate.name = "cuda.elementwise";
  candidate.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  candidate.outputs = {LayoutRule::any};
  candidate.strided_output = true;
  candidate.estimated_us = estimate_us(query, 0, 1);
  candidate.emit = [launch, count = query.node.inputs.size(), arch = query.cuda](StepBuilder& builder) {
    std::vector<Operand> inputs;
    for (size_t i = 0; i < count; ++i) inputs.push_back(builder.input(i));
    builder.step(StepKind::launch, launch.kernel, launch.attrs(arch), std::move(inputs), {builder.output(0)});
  };
  sink.offer(std::move(candidate));
}

void propose_pointwise(const TacticQuery& query, CandidateSink& sink) {
  const bool fused = query.node.op == "fused";
  if (fused) {
    const Graph& body = *query.node.regions[0];
    const auto nodes = body.nodes();
    if (!std::all_of(nodes.begin(), nodes.end(), [&](NodeId id) { return is_pointwise(body.node(id)); })) return;
  } else if (!is_pointwise(query.node)) {
    return;
  }
  const bool real = takes_floats(query);
  std::string why = refuse_types(query);
  if (why.empty()) why = refuse_mixture(query, real);
  if (why.empty() && query.node.inputs.size() > kMostOperands) why = "more than 32 operands";
  if (!why.empty()) return sink.refuse("cuda.elementwise", std::move(why));
  const PointwiseProgram program =
      fused ? pointwise_program(*query.node.regions[0]) : pointwise_program(query.graph, query.node);
  if (program.results.size() != 1) return sink.refuse("cuda.elementwise", "more than one result");
  const std::string arithmetic = real ? "float" : "int64_t";
  try {
    offer_elementwise(
        query, sink, arithmetic,
        statements(program, real) + fmt::format("  const {} result = r{};\n", arithmetic, program.results[0]));
  } catch (const Error& error) {
    sink.refuse("cuda.elementwise", error.message());
  }
}

// Between floats, and of integers and truth values to anything.
void propose_cast(const TacticQuery& query, CandidateSink& sink) {
  const DataType from = query.input(0).type.dtype, to = query.output(0).type.dtype;
  std::string why = refuse_types(query);
  if (is_float(from) && !is_float(to)) why = "from " + query.input(0).type.str() + " to integers";
  if (!is_float(from) && is_float(to) && element_bytes(from) > 2) why = "from " + query.input(0).type.str();
  if (!why.empty()) return sink.refuse("cuda.cast", std::move(why));
  const bool real = is_float(from) || is_float(to);
  offer_elementwise(query, sink, real ? "float" : "int64_t", "  const auto result = r0;\n");
}

}  // namespace

void register_pointwise(TacticTable& table) {
  for (const OpDef* def : op_table().rows())
    if (def->pointwise != nullptr) table.add(def->name, propose_pointwise);
  table.add("cast", propose_cast);
}

}  // namespace planish::tactics::cuda
