#include "ops/common/block_weights.h"

#include <algorithm>
#include <cmath>

#include "kernels/reference/quantize.h"
#include "ops/op.h"
#include "tensor/narrow.h"

namespace planish {
namespace {

bool is_weight_type(DataType type) {
  return type == DataType::i8 || type == DataType::u8 || type == DataType::i4 || type == DataType::u4 ||
         type == DataType::i2 || type == DataType::u2;
}

// Numbers 0 … 2^bits - 1; those of 2 bits keep their values.
std::vector<uint8_t> raised(const Tensor& numbers, int bits) {
  const int by = is_signed_integer(numbers.dtype()) ? 1 << (bits - 1) : 0;
  const auto* codes = reinterpret_cast<const uint8_t*>(numbers.data());
  std::vector<uint8_t> result(static_cast<size_t>(numbers.element_count()));
  if (element_bits(numbers.dtype()) == 8) {
    for (size_t i = 0; i < result.size(); ++i) result[i] = static_cast<uint8_t>(codes[i] + by);
    return result;
  }
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = static_cast<uint8_t>(decode_narrow_int(numbers.dtype(), codes[i]) + by);
  return result;
}

// [blocks, columns] of what is one for all, one a column or that already.
template <class T>
std::vector<T> spread(std::vector<T> values, const BlockWeights& w) {
  const auto columns = static_cast<size_t>(w.columns), all = static_cast<size_t>(w.blocks()) * columns;
  if (values.size() == all) return values;
  std::vector<T> result(all);
  for (size_t i = 0; i < all; ++i) result[i] = values[values.size() == 1 ? 0 : i % columns];
  return result;
}

const Tensor* constant_operand(const Graph& graph, const Node& node, size_t i) {
  if (i >= node.inputs.size() || !node.inputs[i].valid()) return nullptr;
  const Value& value = graph.value(node.inputs[i]);
  return value.is_constant() ? &value.constant : nullptr;
}

struct Range {
  float low = 0, high = 0;  // 0 lies between
  float largest = 0;        // by magnitude, with its sign
};

Range range_of(std::span<const float> weights, int64_t columns, int64_t first, int64_t last, int64_t column) {
  Range range;
  for (int64_t k = first; k < last; ++k) {
    const float w = weights[static_cast<size_t>(k * columns + column)];
    if (!std::isfinite(w)) fail(Code::invalid_argument, "the weight [{}, {}] is {}", k, column, w);
    range.low = std::min(range.low, w);
    range.high = std::max(range.high, w);
    if (std::abs(w) > std::abs(range.largest)) range.largest = w;
  }
  return range;
}

// Steps so small that dividing by them overflows count as zeros.
void set_scale(const Range& range, const WeightFormat& format, float& scale, uint8_t& zero) {
  const int half = 1 << (format.bits - 1), most = 2 * half - 1;
  scale = format.symmetric ? range.largest / static_cast<float>(-half)
                           : (range.high - range.low) / static_cast<float>(most);
  if (!std::isfinite(scale)) scale = range.high / static_cast<float>(most) - range.low / static_cast<float>(most);
  if (!std::isnormal(scale)) scale = 1;
  const float steps = format.symmetric ? static_cast<float>(half) : std::nearbyint(-range.low / scale);
  zero = static_cast<uint8_t>(std::clamp(steps, 0.f, static_cast<float>(most)));
}

}  // namespace

std::optional<BlockWeights> block_weights(const Graph& graph, const Node& node) {
  if (node.op != "dequantize_linear" || graph.value(node.outputs[0]).type.dtype != DataType::f32) return std::nullopt;
  const Tensor *numbers = constant_operand(graph, node, 0), *scales = constant_operand(graph, node, 1),
               *zeros = constant_operand(graph, node, 2);
  const bool has_zeros = node.inputs.size() > 2 && node.inputs[2].valid();
  if (numbers == nullptr || scales == nullptr || (has_zeros && zeros == nullptr)) return std::nullopt;
  return block_weights(*numbers, *scales, has_zeros ? *zeros : Tensor(), node.attrs);
}

std::optional<BlockWeights> block_weights(const Tensor& numbers, const Tensor& scales, const Tensor& zeros,
                                          const Attrs& given) {
  if (numbers.rank() != 2 || !is_weight_type(numbers.dtype()) || scales.dtype() != DataType::f32) return std::nullopt;
  BlockWeights w;
  w.depth = numbers.extents()[0];
  w.columns = numbers.extents()[1];
  if (w.depth == 0 || w.columns == 0) return std::nullopt;
  const auto attrs = attrs_to<QuantizeAttrs>(given);
  const bool single = scales.element_count() == 1 && attrs.block_size == 0;
  if (!single && normalize_axis(attrs.axis, 2) != (attrs.block_size > 0 ? 0 : 1)) return std::nullopt;
  w.block = attrs.block_size > 0 ? std::min(attrs.block_size, w.depth) : w.depth;
  w.bits = element_bits(numbers.dtype()) == 8 ? 8 : 4;
  w.scales = spread(std::vector<float>(scales.as<float>().begin(), scales.as<float>().end()), w);
  if (!std::all_of(w.scales.begin(), w.scales.end(), [](float s) { return std::isfinite(s); })) return std::nullopt;
  w.numbers = raised(numbers, w.bits);
  const int raise = is_signed_integer(numbers.dtype()) ? 1 << (w.bits - 1) : 0;
  w.zeros = spread(zeros.present() ? raised(zeros, w.bits) : std::vector{static_cast<uint8_t>(raise)}, w);
  return w;
}

Tensor dequantized(const BlockWeights& w) {
  return Tensor::make(DataType::f32, {w.depth, w.columns}, [&](std::byte* out) {
    auto* to = reinterpret_cast<float*>(out);
    for (int64_t k = 0; k < w.depth; ++k)
      for (int64_t n = 0; n < w.columns; ++n) {
        const auto at = static_cast<size_t>(k / w.block * w.columns + n);
        *to++ = static_cast<float>(w.numbers[static_cast<size_t>(k * w.columns + n)] - w.zeros[at]) * w.scales[at];
      }
  });
}

void check_format(const WeightFormat& format) {
  if (format.bits != 4 && format.bits != 8)
    fail(Code::invalid_argument, "weights of {} bits; 4 and 8 are accepted", format.bits);
  const bool power = format.block >= 16 && format.block <= 256 && (format.block & (format.block - 1)) == 0;
  if (format.block != 0 && !power)
    fail(Code::invalid_argument, "blocks of {}; 16, 32, 64, 128, 256 and 0 (a scale a column) are accepted",
         format.block);
}

BlockWeights quantized_matrix(std::span<const float> weights, int64_t depth, int64_t columns,
                              const WeightFormat& format) {
  check_format(format);
  BlockWeights w;
  w.depth = depth;
  w.columns = columns;
  w.block = format.block == 0 ? depth : std::min(format.block, depth);
  w.bits = format.bits;
  w.numbers.resize(weights.size());
  w.scales.resize(static_cast<size_t>(w.blocks() * columns));
  w.zeros.resize(w.scales.size());
  const auto most = static_cast<float>((1 << format.bits) - 1);
  for (int64_t b = 0; b < w.blocks(); ++b) {
    const int64_t first = b * w.block, last = std::min(depth, first + w.block);
    for (int64_t n = 0; n < columns; ++n) {
      const auto at = static_cast<size_t>(b * columns + n);
      set_scale(range_of(weights, columns, first, last, n), format, w.scales[at], w.zeros[at]);
      for (int64_t k = first; k < last; ++k) {
        const auto i = static_cast<size_t>(k * columns + n);
        const float number = std::nearbyint(weights[i] / w.scales[at]) + static_cast<float>(w.zeros[at]);
        w.numbers[i] = static_cast<uint8_t>(std::clamp(number, 0.f, most));
      }
    }
  }
  return w;
}

DequantizeOperands dequantize_operands(const BlockWeights& w) {
  const DataType type = w.bits == 8 ? DataType::u8 : DataType::u4;
  const bool blocked = w.block < w.depth;
  const std::vector<int64_t> rows = blocked ? std::vector<int64_t>{w.blocks(), w.columns} : std::vector{w.columns};
  const auto codes = [&](std::vector<int64_t> extents, const std::vector<uint8_t>& from) {
    return Tensor::make(type, std::move(extents), [&](std::byte* out) {
      std::copy_n(reinterpret_cast<const std::byte*>(from.data()), from.size(), out);
    });
  };
  DequantizeOperands operands{codes({w.depth, w.columns}, w.numbers),
                              Tensor::of<float>(rows, w.scales),
                              codes(rows, w.zeros),
                              {{"axis", int64_t{blocked ? 0 : 1}}}};
  if (blocked) operands.attrs.set("block_size", w.block);
  return operands;
}

}  // namespace planish
