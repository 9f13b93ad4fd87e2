// Pointwise programs: single operators and fused bodies made of nothing else, over any strides; and casts.

#include <algorithm>
#include <numeric>

#include "ops/builder.h"
#include "ops/common/quantized.h"
#include "tactics/cuda/common/elementwise.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

constexpr size_t kMostOperands = 32;

// Dequantisations or quantisations are in the body: their results are numbers of 8 bits, saturated by the program.
bool is_of_numbers(const TacticQuery& query) {
  if (query.node.op != "fused") return false;
  const Graph& body = *query.node.regions[0];
  const auto nodes = body.nodes();
  return std::any_of(nodes.begin(), nodes.end(), [&](NodeId id) { return !is_pointwise(body.node(id)); });
}

bool takes_floats(const TacticQuery& query) {
  bool floats = is_float(query.output(0).type.dtype) || is_of_numbers(query);
  for (size_t i = 0; i < query.node.inputs.size(); ++i)
    floats = floats || (query.has_input(i) && is_float(query.input(i).type.dtype));
  return floats;
}

// Of 64-bit elements, and of integers that fp32 does not hold beside floats, in double; of integers alone in integers.
Arithmetic arithmetic_of(const TacticQuery& query) {
  if (!takes_floats(query)) return Arithmetic::i64;
  const auto is_wide = [](DataType type) {
    return type == DataType::f64 || (!is_float(type) && type != DataType::boolean && element_bytes(type) > 2);
  };
  bool wide = is_wide(query.output(0).type.dtype);
  for (size_t i = 0; i < query.node.inputs.size(); ++i)
    wide = wide || (query.has_input(i) && is_wide(query.input(i).type.dtype));
  return wide ? Arithmetic::f64 : Arithmetic::f32;
}

std::string refuse_wide_types(const TacticQuery& query) {
  for (size_t i = 0; i < query.node.inputs.size(); ++i)
    if (query.has_input(i) && wide_type(query.input(i).type.dtype).empty())
      return fmt::format("operand {} is {}", i, query.input(i).type.str());
  if (wide_type(query.output(0).type.dtype).empty()) return "the result is " + query.output(0).type.str();
  return query.node.inputs.size() > kMostOperands ? "more than 32 operands" : "";
}

// `body` has a register for each operand that is there.
void offer_elementwise(const TacticQuery& query, CandidateSink& sink, const std::string& arithmetic,
                       const std::string& body, const std::vector<std::string>& options = {}) {
  std::vector<std::string> types;
  std::vector<size_t> operands;
  for (size_t i = 0; i < query.node.inputs.size(); ++i)
    if (query.has_input(i)) types.push_back(wide_type(query.input(i).type.dtype)), operands.push_back(i);
  Launch launch = elementwise_launch(arithmetic, types, wide_type(query.output(0).type.dtype), body,
                                     query.output(0).type.shape.element_count());
  launch.options = options;
  Candidate candidate = launch_candidate(query, std::move(launch), std::move(operands), estimate_us(query, 0, 1));
  candidate.outputs = {LayoutRule::any};
  candidate.strided_output = true;
  sink.offer(std::move(candidate));
}

// What a float is before it is cut to an integer: NaN counts as 0, what is outside the range as its end.
std::string before_cut(DataType to, const std::string& r, Arithmetic arithmetic) {
  if (arithmetic == Arithmetic::i64 || is_float(to) || to == DataType::boolean) return r;
  const std::string number = fmt::format("{0} != {0} ? 0 : ", r);
  const int64_t bytes = element_bytes(to);
  if (bytes > 2) return number + r;  // the instruction saturates
  const int64_t bits = 8 * bytes,
                most = is_signed_integer(to) ? (int64_t{1} << (bits - 1)) - 1 : (int64_t{1} << bits) - 1;
  const int64_t least = is_signed_integer(to) ? -most - 1 : 0;
  const char* const suffix = arithmetic == Arithmetic::f32 ? "f" : "";
  return number + fmt::format("fmin{3}(fmax{3}({0}, {1}), {2})", r, least, most, suffix);
}

void propose_pointwise(const TacticQuery& query, CandidateSink& sink) {
  const bool fused = query.node.op == "fused";
  if (fused) {
    const Graph& body = *query.node.regions[0];
    const auto nodes = body.nodes();
    const auto is_step = [&](NodeId id) { return is_pointwise(body.node(id)) || tensor_scale(body, body.node(id)); };
    if (!std::all_of(nodes.begin(), nodes.end(), is_step)) return;
  } else if (!is_pointwise(query.node)) {
    return;
  }
  if (std::string why = refuse_wide_types(query); !why.empty()) return sink.refuse("cuda.elementwise", std::move(why));
  const PointwiseProgram program =
      fused ? pointwise_program(*query.node.regions[0]) : pointwise_program(query.graph, query.node);
  if (program.results.size() != 1) return sink.refuse("cuda.elementwise", "more than one result");
  const Arithmetic arithmetic = arithmetic_of(query);
  const std::string type = arithmetic_type(arithmetic),
                    result = before_cut(query.output(0).type.dtype, fmt::format("r{}", program.results[0]), arithmetic);
  std::vector<std::string> options;
  if (is_of_numbers(query)) options = {"-fmad=false"};  // ties are decided as the processor does
  try {
    offer_elementwise(query, sink, type,
                      statements(program, arithmetic) + fmt::format("  const {} result = {};\n", type, result),
                      options);
  } catch (const Error& error) {
    sink.refuse("cuda.elementwise", error.message());
  }
}

// To numbers of 8 bits and back by one constant scale.
void propose_steps(const TacticQuery& query, CandidateSink& sink) {
  const auto scale = query.node.op == "fused" ? std::nullopt : tensor_scale(query.graph, query.node);
  if (!scale) return;
  const DataType to = query.output(0).type.dtype;
  PwBuilder builder(1);
  const PwBuilder::Reg result = query.node.op == "quantize_linear"
                                    ? add_saturate(builder, add_quantize(builder, 0, *scale), scale->numbers)
                                    : add_dequantize(builder, 0, *scale);
  const PointwiseProgram program = builder.finish({result});
  Launch launch = elementwise_launch(
      "float", {device_type(query.input(0).type.dtype)}, device_type(to),
      statements(program, Arithmetic::f32) + fmt::format("  const float result = r{};\n", program.results[0]),
      query.output(0).type.shape.element_count());
  launch.options = {"-fmad=false"};  // ties are decided as the processor does
  Candidate candidate = launch_candidate(query, std::move(launch), {0}, estimate_us(query, 0, 1));
  candidate.outputs = {LayoutRule::any};
  candidate.strided_output = true;
  candidate.estimated_us *= 0.9;  // of the two kernels for it the one that moves several elements at once
  sink.offer(std::move(candidate));
}

// Of wide integers to floats through double: rounded as the processor does.
void propose_cast(const TacticQuery& query, CandidateSink& sink) {
  if (std::string why = refuse_wide_types(query); !why.empty()) return sink.refuse("cuda.cast", std::move(why));
  const DataType from = query.input(0).type.dtype, to = query.output(0).type.dtype;
  const Arithmetic arithmetic = arithmetic_of(query);
  const std::string cut = is_float(from) ? before_cut(to, "r0", arithmetic) : "r0";
  offer_elementwise(query, sink, arithmetic_type(arithmetic), "  const auto result = " + cut + ";\n");
}

// Between bounds that are computed.
void propose_clip(const TacticQuery& query, CandidateSink& sink) {
  std::string why = query.node.op == "fused" ? "an epilogue" : refuse_wide_types(query);
  if (!why.empty()) return sink.refuse("cuda.elementwise", std::move(why));
  const std::string type = arithmetic_type(arithmetic_of(query));
  std::string body = fmt::format("  {} result = r0;\n", type);
  const bool low = query.has_input(1);
  if (low) body += "  if (result < r1) result = r1;\n";
  if (query.has_input(2)) body += fmt::format("  if (result > r{0}) result = r{0};\n", low ? 2 : 1);
  offer_elementwise(query, sink, type, body);
}

// The same bits, of elements of one size.
void propose_bits(const TacticQuery& query, CandidateSink& sink) {
  const TensorType &from = query.input(0).type, &to = query.output(0).type;
  const std::string word = word_type(to.dtype);
  if (word.empty() || element_bytes(from.dtype) != element_bytes(to.dtype))
    return sink.refuse("cuda.elementwise", "from " + from.str());
  Launch launch = elementwise_launch(word, {word}, word, "  const auto result = r0;\n", to.shape.element_count());
  sink.offer(launch_candidate(query, std::move(launch), {0}, estimate_us(query, 0, 1)));
}

}  // namespace

void register_pointwise(TacticTable& table) {
  for (const OpDef* def : op_table().rows())
    if (def->pointwise != nullptr) table.add(def->name, propose_pointwise);
  table.add("dequantize_linear", propose_pointwise);
  for (const char* op : {"quantize_linear", "dequantize_linear"}) table.add(op, propose_steps);
  table.add("cast", propose_cast);
  table.add("clip", propose_clip);
  table.add("bit_cast", propose_bits);
}

}  // namespace planish::tactics::cuda
