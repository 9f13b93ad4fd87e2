#include "tactics/cpu/common/packing.h"

#include <algorithm>
#include <cmath>

#include "kernels/activation.h"
#include "tactics/leading_add.h"

namespace planish::tactics::cpu {
namespace {

// Whether an operand has a value of its own for every channel of the result.
bool has_rows_of(const Shape& operand, const Shape& result, int channels_axis) {
  const int axis = channels_axis - (result.rank() - operand.rank());
  return axis >= 0 && operand[axis] == result[channels_axis];
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
    if (i.op == PwOp::max && high == INFINITY)
      low = std::max(low, bound);
    else if (i.op == PwOp::min && bound >= low)
      high = std::min(high, bound);
    else
      return false;
    current = self;
  }
  return program.inputs == 1 && program.results.size() == 1 && program.results[0] == current;
}

}  // namespace

DataType exact_storage(const Tensor& weights) {
  const auto elements = weights.as<float>();
  const auto all = [&](auto holds) { return std::all_of(elements.begin(), elements.end(), holds); };
  if (all([](float x) { return to_float(to_half(x)) == x; })) return DataType::f16;
  if (all([](float x) { return to_float(to_bfloat16(x)) == x; })) return DataType::bf16;
  return DataType::f32;
}

int64_t panel_of(Isa isa) { return panel_width(code_level(isa)); }

EpilogueParams epilogue_params(const TacticQuery& query, const EpilogueForm& form, ValueId bias_operand,
                               int64_t channels, int channels_axis) {
  EpilogueParams params;
  params.extras = form.extras;
  if (bias_operand.valid()) params.bias = query.graph.value(bias_operand).constant;
  PointwiseProgram program = form.epilogue;
  if (program.results.empty()) return params;
  if (!params.bias.present()) take_bias(query, program, params.extras, channels, params.bias);
  if (program.code.empty()) return params;
  const uint16_t addend = program.inputs == 2 ? leading_addend(program) : 0;
  if (addend != 0 &&
      has_rows_of(query.graph.value(params.extras[0]).type.shape, query.output(0).type.shape, channels_axis)) {
    PointwiseProgram rest = program;
    drop_leading_add(rest, addend);
    params.residual = rest.code.empty() || take_clamp(rest, params.low, params.high);
    params.clamped = params.residual && !rest.code.empty();
  }
  if (params.residual) return params;
  params.clamped = take_clamp(program, params.low, params.high);
  if (!params.clamped) params.program = program.str();
  return params;
}

size_t operand_index(const Node& node, ValueId id) {
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (node.inputs[i] == id) return i;
  fail(Code::internal, "'{}' has no such operand", node.name);
}

void apply(const EpilogueParams& epilogue, GemmAttrs& attrs) {
  attrs.has_bias = epilogue.bias.present() ? 1 : 0;
  attrs.residual = epilogue.residual ? 1 : 0;
  attrs.clamped = epilogue.clamped ? 1 : 0;
  attrs.low = epilogue.clamped ? epilogue.low : 0;
  attrs.high = epilogue.clamped ? epilogue.high : 0;
  attrs.program = epilogue.program;
}

bool ends_in_registers(const TacticQuery& query, const EpilogueParams& epilogue) {
  if (epilogue.program.empty()) return true;
  const Activation form = activation_of(PointwiseProgram::parse(epilogue.program));
  return form.present() &&
         (!form.adds || query.graph.value(epilogue.extras[0]).type.shape == query.output(0).type.shape);
}

// The depth passes in slices; what they read of a chunk's rows stays in cache.
std::vector<int64_t> row_block_choices(Isa isa, int threads, double rows, int64_t depth, int64_t columns) {
  constexpr int64_t kRowsInCache = 192 << 10, kWeightsInCache = 256 << 10, kMost = 64, kSlice = 320;
  const int64_t height = microkernel_rows(code_level(isa)), row_bytes = std::max<int64_t>(depth, 1) * 4;
  int64_t blocks = std::clamp<int64_t>(kRowsInCache / (std::min(row_bytes, kSlice * 4) * height), 1, kMost);
  // Weights that stay in cache anyway leave the chunks free to be small enough for all threads.
  if (row_bytes * columns <= kWeightsInCache)
    blocks = std::clamp<int64_t>(static_cast<int64_t>(rows) / (height * 4 * threads), 1, blocks);
  std::vector<int64_t> choices = {blocks};
  for (int64_t other : {blocks / 4, std::min(blocks * 4, kMost)})
    if (other > 0 && other != blocks) choices.push_back(other);
  return choices;
}

int64_t packing_slots(const TacticQuery& query, double rows, int64_t columns) {
  constexpr int64_t kFewestRows = 24, kFewestPanels = 3, kManyPanels = 8;
  const int64_t panels = columns / panel_of(query.isa), threads = std::clamp<int64_t>(query.threads, 1, kMostSlots);
  if (rows < kFewestRows || panels < kFewestPanels * threads) return 0;
  return panels >= 2 * threads * kManyPanels ? std::min(2 * threads, kMostSlots) : threads;
}

// Wide vectors wait for rows that share a set of L1; narrow ones take longer over a row than it takes to arrive.
double packing_efficiency(const TacticQuery& query) { return code_level(query.isa) == Isa::avx512 ? 0.85 : 0.79; }

double typical_elements(const TacticQuery& query, const Shape& shape) {
  double count = 1;
  for (int64_t extent : query.typical(shape)) count *= static_cast<double>(extent);
  return count;
}

double vector_lanes(Isa isa) { return code_level(isa) == Isa::scalar ? 1 : code_level(isa) == Isa::avx2 ? 8 : 16; }

double estimate_us(const TacticQuery& query, double flops, double bytes, double efficiency) {
  const double gflops =
      2.5 * 4 * vector_lanes(query.isa) * query.threads * efficiency;  // GHz, two multiply-adds a cycle
  const double bandwidth = 12e3 * std::min(query.threads, 4);          // bytes a microsecond from the last cache
  return std::max(flops / gflops * 1e-3, bytes / bandwidth) + 1;
}

}  // namespace planish::tactics::cpu
