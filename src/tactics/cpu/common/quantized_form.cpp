#include "tactics/cpu/common/quantized_form.h"

#include "ops/builder.h"

namespace planish::tactics::cpu {
namespace {

// The program of numbers: extras are dequantised in front of it, its result is divided by the scale behind it.
std::string program_of_numbers(const QuantizedForm& q, const EpilogueParams& params) {
  const PointwiseProgram program = PointwiseProgram::parse(params.program);
  PwBuilder builder(program.inputs);
  std::vector<PwBuilder::Reg> operands = {PwBuilder::Reg{0}};
  for (size_t i = 0; i < params.extras.size(); ++i) {
    const auto r = static_cast<PwBuilder::Reg>(i + 1);
    const auto scale = q.extras.find(params.extras[i]);
    operands.push_back(scale == q.extras.end() ? r : add_dequantize(builder, r, scale->second));
  }
  auto results = builder.inline_program(program, operands);
  if (q.result) results[0] = builder.binary(PwOp::div, results[0], builder.constant(q.result->scale));
  return builder.finish(results).str();
}

Tensor divided(const Tensor& row, double by) {
  std::vector<float> values;
  for (double value : row.to_doubles()) values.push_back(static_cast<float>(value / by));
  return Tensor::of<float>({static_cast<int64_t>(values.size())}, values);
}

}  // namespace

QuantizedEpilogue quantized_epilogue(const QuantizedForm& q, EpilogueParams params, int64_t columns) {
  const double by = q.result && params.program.empty() ? q.result->scale : 1;
  const double steps = q.inner ? q.inner->scale : by;  // of a sum
  QuantizedEpilogue e;
  for (int64_t n = 0; n < columns; ++n) {
    const double w = q.weights.scales[q.weights.scales.size() == 1 ? 0 : static_cast<size_t>(n)];
    e.scales.push_back(static_cast<float>(q.x.scale * w / steps));
  }
  if (params.bias.present()) params.bias = divided(params.bias, steps);
  if (q.inner) e.inner_scale = q.inner->scale / by;
  if (!params.program.empty()) params.program = program_of_numbers(q, params);
  if (params.clamped) {
    params.low /= by;
    params.high /= by;
  }
  if (params.residual) {
    const auto scale = q.extras.find(params.extras[0]);
    e.residual_scale = (scale == q.extras.end() ? 1 : scale->second.scale) / by;
    e.residual_zero = scale == q.extras.end() ? 0 : scale->second.zero;
  }
  if (q.result) e.out_zero = q.result->zero;
  e.params = std::move(params);
  return e;
}

}  // namespace planish::tactics::cpu
