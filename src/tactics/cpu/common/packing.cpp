#include "tactics/cpu/common/packing.h"

#include <algorithm>
#include <cmath>

namespace planish::tactics::cpu {
namespace {

using Code = std::vector<PwInstr>;

// add(r0, extra) as the first instruction, where the extra is a constant row of the channels.
bool take_bias(const TacticQuery& query, PointwiseProgram& program, std::vector<ValueId>& extras, int64_t channels, Tensor& bias) {
  if (program.code.empty() || program.code[0].op != PwOp::add) return false;
  const PwInstr& first = program.code[0];
  const uint16_t other = first.a == 0 ? first.b : first.a;
  if ((first.a != 0 && first.b != 0) || other == 0 || other >= program.inputs) return false;
  const Value& value = query.graph.value(extras[other - 1u]);
  if (!value.is_constant() || value.constant.element_count() != channels) return false;
  const auto uses = std::count_if(program.code.begin(), program.code.end(), [&](const PwInstr& i) {
    const int arity = pw_arity(i.op);
    return (arity > 0 && (i.a == other || i.a == 0)) || (arity > 1 && (i.b == other || i.b == 0)) || (arity > 2 && (i.c == other || i.c == 0));
  });
  if (uses != 1 || std::count(program.results.begin(), program.results.end(), 0) > 0) return false;
  bias = value.constant;
  // r(inputs) becomes r0; registers behind the dropped input and the dropped instruction move down.
  const auto inputs = static_cast<uint16_t>(program.inputs);
  const auto moved = [&](uint16_t r) -> uint16_t {
    if (r == inputs) return 0;
    if (r > inputs) return static_cast<uint16_t>(r - 2);
    return r > other ? static_cast<uint16_t>(r - 1) : r;
  };
  program.code.erase(program.code.begin());
  for (PwInstr& i : program.code) i = {i.op, moved(i.a), moved(i.b), moved(i.c), i.immediate};
  for (uint16_t& r : program.results) r = moved(r);
  --program.inputs;
  extras.erase(extras.begin() + (other - 1));
  return true;
}

// max(r0, low) then min(.., high), either alone, and nothing else.
bool take_clamp(const PointwiseProgram& program, double& low, double& high) {
  low = -INFINITY;
  high = INFINITY;
  std::vector<double> value(static_cast<size_t>(program.inputs) + program.code.size(), NAN);
  uint16_t current = 0;
  for (size_t k = 0; k < program.code.size(); ++k) {
    const PwInstr& i = program.code[k];
    const auto self = static_cast<uint16_t>(static_cast<size_t>(program.inputs) + k);
    if (i.op == PwOp::constant) {
      value[self] = i.immediate;
      continue;
    }
    if ((i.op != PwOp::max && i.op != PwOp::min) || (i.a != current && i.b != current)) return false;
    const double bound = value[i.a == current ? i.b : i.a];
    if (std::isnan(bound)) return false;
    if (i.op == PwOp::max && high == INFINITY) low = std::max(low, bound);
    else if (i.op == PwOp::min && bound >= low) high = std::min(high, bound);
    else return false;
    current = self;
  }
  return program.inputs == 1 && program.results.size() == 1 && program.results[0] == current;
}

}  // namespace

int64_t panel_of(Isa isa) { return panel_width(static_cast<int>(isa)); }

EpilogueParams epilogue_params(const TacticQuery& query, const EpilogueForm& form, ValueId bias_operand, int64_t channels) {
  EpilogueParams params;
  params.extras = form.extras;
  if (bias_operand.valid()) params.bias = query.graph.value(bias_operand).constant;
  PointwiseProgram program = form.epilogue;
  if (program.results.empty()) return params;
  if (!params.bias.present()) take_bias(query, program, params.extras, channels, params.bias);
  if (program.code.empty()) return params;
  params.clamped = take_clamp(program, params.low, params.high);
  if (!params.clamped) params.program = program.str();
  return params;
}

void apply(const EpilogueParams& epilogue, GemmAttrs& attrs) {
  attrs.has_bias = epilogue.bias.present() ? 1 : 0;
  attrs.clamped = epilogue.clamped ? 1 : 0;
  attrs.low = epilogue.clamped ? epilogue.low : 0;
  attrs.high = epilogue.clamped ? epilogue.high : 0;
  attrs.program = epilogue.program;
}

double typical_elements(const TacticQuery& query, const Shape& shape) {
  double count = 1;
  for (int64_t extent : query.typical(shape)) count *= static_cast<double>(extent);
  return count;
}

double estimate_us(const TacticQuery& query, double flops, double bytes, double efficiency) {
  const double lanes = query.isa == Isa::scalar ? 1 : query.isa == Isa::avx2 ? 8 : 16;
  const double gflops = 2.5 * 4 * lanes * query.threads * efficiency;  // GHz, two multiply-adds a cycle
  return std::max(flops / gflops * 1e-3, bytes / 10e3) + 1;
}

}  // namespace planish::tactics::cpu
