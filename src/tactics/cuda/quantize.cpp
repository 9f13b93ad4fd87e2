// Floats to steps of 8 and 16 bits and back.

#include "kernels/reference/quantize.h"

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

}  // namespace

void register_quantize(TacticTable& table) {
  table.add("quantize_linear", propose_quantize);
  table.add("dequantize_linear", propose_quantize);
}

}  // namespace planish::tactics::cuda
