#include "tactics/cpu/common/direct.h"

#include <algorithm>

#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {
namespace {

double value_bytes(const TacticQuery& query, const Value& value) {
  return typical_elements(query, value.type.shape) * static_cast<double>(element_bytes(value.type.dtype));
}

double all_bytes(const TacticQuery& query) {
  double bytes = 0;
  for (size_t i = 0; i < query.node.inputs.size(); ++i)
    if (query.has_input(i)) bytes += value_bytes(query, query.input(i));
  for (size_t i = 0; i < query.node.outputs.size(); ++i) bytes += value_bytes(query, query.output(i));
  return bytes;
}

}  // namespace

void offer_direct(const TacticQuery& query, CandidateSink& sink, const DirectKernel& direct) {
  const std::vector<ValueId> operands = query.node.inputs;
  const size_t results = query.node.outputs.size();
  const double bytes = direct.bytes < 0 ? all_bytes(query) : direct.bytes;
  Candidate candidate;
  candidate.name = direct.kernel;
  candidate.inputs.assign(operands.size(), direct.inputs);
  candidate.outputs.assign(results, direct.outputs);
  candidate.strided_output = direct.strided_output;
  candidate.estimated_us = estimate_us(query, direct.flops, bytes, 0.1);
  candidate.emit = [operands, results, kernel = direct.kernel, attrs = query.node.attrs](StepBuilder& builder) {
    std::vector<Operand> in, out;
    for (size_t i = 0; i < operands.size(); ++i)
      in.push_back(operands[i].valid() ? builder.input(i) : builder.absent());
    for (size_t i = 0; i < results; ++i) out.push_back(builder.output(i));
    builder.step(StepKind::cpu, kernel, attrs, std::move(in), std::move(out));
  };
  sink.offer(std::move(candidate));
}

std::string refuse_dtype(const TacticQuery& query, size_t i, std::initializer_list<DataType> accepted) {
  if (!query.has_input(i)) return "";
  const TensorType& type = query.input(i).type;
  if (std::find(accepted.begin(), accepted.end(), type.dtype) != accepted.end()) return "";
  std::string names;
  for (DataType dtype : accepted) names += (names.empty() ? "" : ", ") + std::string(data_type_name(dtype));
  return "operand " + std::to_string(i) + " is " + type.str() + ", accepted: " + names;
}

}  // namespace planish::tactics::cpu
