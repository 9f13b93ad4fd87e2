// Floats to steps of 8 and 16 bits and back.

#include "kernels/reference/quantize.h"

#include "kernels/reference/dynamic_quantize.h"
#include "tactics/cuda/common/launch.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

std::pair<int64_t, int64_t> range_of(DataType type) {
  switch (type) {
    case DataType::i8:
      return {INT8_MIN, INT8_MAX};
    case DataType::u8:
      return {0, UINT8_MAX};
    case DataType::i16:
      return {INT16_MIN, INT16_MAX};
    case DataType::u16:
      return {0, UINT16_MAX};
    default:
      return {0, 0};
  }
}

// i32 is what biases are; only back from it.
bool is_step(DataType type, bool to_steps) { return range_of(type).second > 0 || (!to_steps && type == DataType::i32); }

void propose_quantize(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.quantize", std::move(why)); };
  if (query.node.op == "fused") return refuse("an epilogue");
  const bool to_steps = query.node.op == "quantize_linear", zero = query.has_input(2);
  const TensorType &x = query.input(0).type, &scale = query.input(1).type, &y = query.output(0).type;
  const DataType steps = to_steps ? y.dtype : x.dtype;
  if (std::string why = refuse_types(query); !why.empty()) return refuse(std::move(why));
  if (!is_step(steps, to_steps)) return refuse(fmt::format("steps are {}", data_type_name(steps)));
  if (!is_float(to_steps ? x.dtype : y.dtype)) return refuse("an operand is " + x.str());
  const auto attrs = attrs_to<QuantizeAttrs>(query.node.attrs);
  if (attrs.block_size != 0) return refuse("scales of blocks");
  if (y.shape.element_count().upper_bound(query.graph.symbols) > INT32_MAX) return refuse("2^31 elements or more");
  const int rank = x.shape.rank();
  const bool one = scale.shape.element_count() == Dim(1);
  if (zero && one && query.input(2).type.shape.element_count() != Dim(1))
    return refuse("zero points along an axis alone");
  Launch launch;
  launch.kernel = "quantize";
  launch.source = "#include \"quantize.cuh\"\n";
  const auto [least, most] = range_of(steps);
  launch.options = {define("RANK", std::max(rank, 1)),
                    define("AXIS", one ? -1 : normalize_axis(attrs.axis, rank)),
                    define("TO_STEPS", to_steps ? 1 : 0),
                    define("TYPE_X", device_type(x.dtype)),
                    define("TYPE_Y", device_type(y.dtype)),
                    define("TYPE_S", device_type(scale.dtype)),
                    define("ZERO", zero ? 1 : 0),
                    define("TYPE_Z", zero ? device_type(query.input(2).type.dtype) : "int8_t"),
                    define("LEAST", least),
                    define("MOST", most)};
  launch.arguments = {"view:i0", "view:i1"};
  std::vector<size_t> operands = {0, 1};
  if (zero) launch.arguments.push_back("view:i2"), operands.push_back(2);
  launch.arguments.push_back("view:o0");
  const Dim count = y.shape.element_count();
  launch.wide(count);
  launch.grid = {ceil_div(count, Dim(kBlock)), 1, 1};
  sink.offer(launch_candidate(query, std::move(launch), std::move(operands), estimate_us(query, 0, 1)));
}

constexpr int64_t kMostParts = 264, kPartElements = 4096;

// Extremes of parts of each span first, then its scale and numbers.
void propose_dynamic_quantize(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.dynamic_quantize", std::move(why)); };
  if (query.node.op == "fused") return refuse("an epilogue");
  const TensorType &x = query.input(0).type, &y = query.output(0).type;
  const auto attrs = attrs_to<DynamicQuantizeAttrs>(query.node.attrs);
  if (x.shape.element_count().upper_bound(query.graph.symbols) > INT32_MAX) return refuse("2^31 elements or more");
  for (size_t i = 0; i < 3; ++i)
    if (query.node.outputs.size() <= i || !query.node.outputs[i].valid()) return refuse("a result is left out");
  const Dim count = x.shape.element_count(), width = attrs.rows != 0 ? x.shape[x.shape.rank() - 1] : count;
  const Dim spans = attrs.rows != 0 ? query.output(1).type.shape.element_count() : Dim(1);
  const Dim parts = attrs.rows != 0 ? Dim(1) : max(Dim(1), min(Dim(kMostParts), ceil_div(count, Dim(kPartElements))));
  Launch extremes;
  extremes.kernel = "dynamic_extremes", extremes.source = "#include \"dynamic_quantize.cuh\"\n";
  extremes.options = {define("RANK", std::max(x.shape.rank(), 1)), define("SYMMETRIC", attrs.symmetric),
                      define("ROWS", attrs.rows), define("TYPE_Y", device_type(y.dtype))};
  extremes.grid = {spans * parts, 1, 1};
  Launch numbers = extremes;
  numbers.kernel = "dynamic_quantize";
  extremes.arguments = {"view:i0", "pointer:o0"};
  numbers.arguments = {"view:i0", "pointer:i1", "view:o0", "view:o1", "view:o2"};
  for (Launch* launch : {&extremes, &numbers}) launch->wide(width), launch->integer(parts);
  Candidate candidate = launch_candidate(query, numbers, {0}, 2 * estimate_us(query, 0, 1));
  candidate.emit = [=, arch = query.cuda](StepBuilder& builder) {
    const Operand pairs = builder.temporary({DataType::f32, Shape({spans * parts, 2})});
    builder.step(StepKind::launch, extremes.kernel, extremes.attrs(arch), {builder.input(0)}, {pairs});
    builder.step(StepKind::launch, numbers.kernel, numbers.attrs(arch), {builder.input(0), pairs},
                 {builder.output(0), builder.output(1), builder.output(2)});
  };
  sink.offer(std::move(candidate));
}

}  // namespace

void register_quantize(TacticTable& table) {
  table.add("quantize_linear", propose_quantize);
  table.add("dequantize_linear", propose_quantize);
  table.add("dynamic_quantize_linear", propose_dynamic_quantize);
}

}  // namespace planish::tactics::cuda
