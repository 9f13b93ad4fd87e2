// Pointwise programs: single operators and fused bodies made of nothing else, over any strides; and casts.

#include <algorithm>
#include <numeric>

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
  Launch launch = elementwise_launch(arithmetic, types, device_type(query.output(0).type.dtype), body,
                                     query.output(0).type.shape.element_count());
  std::vector<size_t> operands(query.node.inputs.size());
  std::iota(operands.begin(), operands.end(), size_t{0});
  Candidate candidate = launch_candidate(query, std::move(launch), std::move(operands), estimate_us(query, 0, 1));
  candidate.outputs = {LayoutRule::any};
  candidate.strided_output = true;
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

// What a float is before it is cut to an integer: NaN counts as 0, what is outside the range as its end.
std::string before_cut(DataType to) {
  const int64_t bytes = element_bytes(to);
  if (bytes > 2) return "r0 != r0 ? 0.0f : r0";  // the instruction saturates
  const int64_t bits = 8 * bytes,
                most = is_signed_integer(to) ? (int64_t{1} << (bits - 1)) - 1 : (int64_t{1} << bits) - 1;
  const int64_t least = is_signed_integer(to) ? -most - 1 : 0;
  return fmt::format("r0 != r0 ? 0.0f : fminf(fmaxf(r0, {}), {})", least, most);
}

// Of wide integers to floats through double: rounded as the processor does.
void propose_cast(const TacticQuery& query, CandidateSink& sink) {
  const DataType from = query.input(0).type.dtype, to = query.output(0).type.dtype;
  std::string why = refuse_types(query);
  const bool whole = !is_float(to) && to != DataType::boolean;
  const bool wide = !is_float(from) && is_float(to) && element_bytes(from) > 2;
  if (wide && to != DataType::f32) why = "from " + query.input(0).type.str();
  if (!why.empty()) return sink.refuse("cuda.cast", std::move(why));
  const bool real = is_float(from) || is_float(to);
  const std::string cut = is_float(from) && whole ? before_cut(to) : "r0";
  offer_elementwise(query, sink, wide ? "double" : real ? "float" : "int64_t", "  const auto result = " + cut + ";\n");
}

// Between bounds that are computed; of floats.
void propose_clip(const TacticQuery& query, CandidateSink& sink) {
  std::string why = query.node.op == "fused" ? "an epilogue" : refuse_types(query);
  if (why.empty() && !is_float(query.input(0).type.dtype)) why = "its operand is " + query.input(0).type.str();
  for (size_t i = 1; i < 3 && why.empty(); ++i)
    if (i < query.node.inputs.size() && !query.has_input(i)) why = "one bound is missing";
  if (!why.empty()) return sink.refuse("cuda.elementwise", std::move(why));
  std::string body = "  float result = r0;\n";
  if (query.has_input(1)) body += "  if (result < r1) result = r1;\n";
  if (query.has_input(2)) body += "  if (result > r2) result = r2;\n";
  offer_elementwise(query, sink, "float", body);
}

}  // namespace

void register_pointwise(TacticTable& table) {
  for (const OpDef* def : op_table().rows())
    if (def->pointwise != nullptr) table.add(def->name, propose_pointwise);
  table.add("cast", propose_cast);
  table.add("clip", propose_clip);
}

}  // namespace planish::tactics::cuda
