// Pointwise programs: single operators and fused bodies made of nothing else. Any strides.

#include <algorithm>

#include "ops/builder.h"
#include "ops/common/quantized.h"
#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {
namespace {

bool pure_pointwise(const Graph& body) {
  const auto nodes = body.nodes();
  return std::all_of(nodes.begin(), nodes.end(),
                     [&](NodeId id) { return is_pointwise(body.node(id)) || tensor_scale(body, body.node(id)); });
}

bool quantizes(const TacticQuery& query) {
  if (query.node.op != "fused") return false;
  const Graph& body = *query.node.regions[0];
  const auto nodes = body.nodes();
  return std::any_of(nodes.begin(), nodes.end(), [&](NodeId id) { return !is_pointwise(body.node(id)); });
}

// As the reference kernel decides it: fp32 arithmetic where a float takes part, else 64-bit integers.
bool takes_floats(const TacticQuery& query) {
  bool floats = is_float(query.output(0).type.dtype) || quantizes(query);
  for (size_t i = 0; i < query.node.inputs.size(); ++i) floats = floats || is_float(query.input(i).type.dtype);
  return floats;
}

// fp32 holds 8- and 16-bit integers exactly; results of fp32 arithmetic are fp32 or truth values.
std::string refuse_types(const TacticQuery& query, bool floating) {
  const auto integer = [](DataType dtype) { return is_integer(dtype) || dtype == DataType::boolean; };
  const auto fits = [&](DataType dtype) {
    return floating ? dtype == DataType::f32 || (integer(dtype) && element_bytes(dtype) <= 2)
                    : integer(dtype) && dtype != DataType::u64;
  };
  for (size_t i = 0; i < query.node.inputs.size(); ++i)
    if (!fits(query.input(i).type.dtype)) return "an operand is " + query.input(i).type.str();
  const DataType result = query.output(0).type.dtype;
  const bool byte = quantizes(query) && (result == DataType::u8 || result == DataType::i8);
  const bool good = floating ? byte || result == DataType::f32 || result == DataType::boolean : fits(result);
  return good ? "" : "the result is " + query.output(0).type.str();
}

void propose_pointwise(const TacticQuery& query, CandidateSink& sink) {
  const bool fused = query.node.op == "fused";
  if (fused ? !pure_pointwise(*query.node.regions[0]) : !is_pointwise(query.node)) return;
  const bool floating = takes_floats(query);
  if (std::string why = refuse_types(query, floating); !why.empty()) return sink.refuse("pointwise", std::move(why));
  const PointwiseProgram program =
      fused ? pointwise_program(*query.node.regions[0]) : pointwise_program(query.graph, query.node);
  if (program.inputs > 32) return sink.refuse("pointwise", "more than 32 operands");
  Candidate candidate;
  const std::string kernel = floating ? "pointwise" : "pointwise.integers";
  candidate.name = kernel;
  candidate.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  candidate.outputs = {LayoutRule::any};
  candidate.strided_output = true;
  if (floating) candidate.half_inputs = kAllOperands;
  candidate.half_output = floating;
  const auto bytes_of = [&](const Value& value) {
    return static_cast<double>(element_bytes(value.type.dtype)) * typical_elements(query, value.type.shape);
  };
  double bytes = bytes_of(query.output(0));
  for (size_t i = 0; i < query.node.inputs.size(); ++i) bytes += bytes_of(query.input(i));
  candidate.estimated_us = estimate_us(query, 0, bytes, 1);
  const Attrs attrs = {{"program", program.str()}};
  const size_t count = query.node.inputs.size();
  candidate.emit = [=](StepBuilder& builder) {
    std::vector<Operand> inputs;
    for (size_t i = 0; i < count; ++i) inputs.push_back(builder.input(i));
    builder.step(StepKind::cpu, kernel, attrs, std::move(inputs), {builder.output(0)});
  };
  sink.offer(std::move(candidate));
}

}  // namespace

void register_pointwise(TacticTable& table) {
  for (const OpDef* def : op_table().rows())
    if (def->pointwise != nullptr) table.add(def->name, propose_pointwise);
  table.add("dequantize_linear", propose_pointwise);
}

}  // namespace planish::tactics::cpu
