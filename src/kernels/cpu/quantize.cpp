// Quantisation and its inverse, per tensor or per axis, over any strides.

#include "kernels/reference/quantize.h"

#include <bit>
#include <limits>

#include "kernels/cpu/common/bytes.h"
#include "kernels/cpu/common/nest.h"
#include "kernels/reference/contracts.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kPiece = 4096, kGrain = 16384;

// Steps of a parameter as the axes of `x` are walked: 0 but on the axis of quantisation.
Strides parameter_steps(const KernelArgs& args, size_t operand) {
  Strides steps{};
  if (!args.has_input(operand) || args.inputs[operand].element_count() == 1) return steps;
  const auto axis = static_cast<size_t>(normalize_axis(args.as<QuantizeAttrs>().axis, args.inputs[0].rank));
  steps[axis] = args.inputs[operand].strides[0];
  return steps;
}

// Operands in order: result, data, scale, zero point.
Nest<4> quantize_nest(const KernelArgs& args) {
  return make_nest<4>(args.inputs[0].extents(), {args.outputs[0].strides, args.inputs[0].strides,
                                                 parameter_steps(args, 1), parameter_steps(args, 2)});
}

// round_half_even(x / scale) + zero, saturated to Q. Adding 1.5 * 2^23 rounds and leaves the integer in the low
// bits; bounds are whole, so clamping before rounding is the same. NaN becomes 0.
template <class Q>
inline Q quantized(float x, float scale, float zero) {
  constexpr float kMagic = 12582912.f;
  const float low = static_cast<float>(std::numeric_limits<Q>::min()) - zero,
              high = static_cast<float>(std::numeric_limits<Q>::max()) - zero;
  const float quotient = x / scale;
  const float number = quotient == quotient ? quotient : -zero;
  const float raised = number > low ? number : low;
  const float bounded = raised < high ? raised : high;
  return static_cast<Q>(std::bit_cast<int32_t>((bounded + kMagic) + zero));
}

// As many of n numbers as whole vectors take.
template <class Q>
int64_t quantize_vectors(const float* x, float scale, float zero, Q* y, int64_t n) {
  const ByteQuotients quotients(scale);
  if (sizeof(Q) > 1 || !quotients.is_tame) return 0;
  constexpr bool kSigned = std::is_signed_v<Q>;
  const auto raised = static_cast<uint32_t>(static_cast<int32_t>(zero) + (kSigned ? 128 : 0)) & 0xffffu;
  const Words zeros = splat_word(static_cast<int32_t>(raised | raised << 16)), flip = flip_of(kSigned);
  int64_t i = 0;
  for (; i + 2 * kDotColumns <= n; i += 2 * kDotColumns) {
    Words numbers[2][kByteVectors];
    bool certain = true;
    for (int v = 0; v < 2 * kByteVectors; ++v) {
      const Vec steps = quotients.of(Vec::load(x + i + v * Vec::kWidth));
      certain = certain && ByteQuotients::are_certain(steps);
      numbers[v / kByteVectors][v % kByteVectors] = rounded(steps);
    }
    if (certain)
      store_saturated(numbers[0], numbers[1], zeros, flip, reinterpret_cast<uint8_t*>(y + i),
                      reinterpret_cast<uint8_t*>(y + i + kDotColumns));
    else
      for (int64_t k = i; k < i + 2 * kDotColumns; ++k) y[k] = quantized<Q>(x[k], scale, zero);
  }
  return i;
}

template <class Q>
struct QuantizeRow {
  const float *x, *scale;
  const Q* zero;
  Q* y;
  int64_t y_step, x_step, scale_step, zero_step;

  float zero_at(int64_t i) const { return zero == nullptr ? 0.f : static_cast<float>(zero[i * zero_step]); }
  void run(int64_t n) const {
    if (y_step != 1 || x_step != 1) {
      for (int64_t i = 0; i < n; ++i) y[i * y_step] = quantized<Q>(x[i * x_step], scale[i * scale_step], zero_at(i));
    } else if (scale_step == 0 && zero_step == 0) {
      const float s = *scale, z = zero_at(0);
      const float* __restrict__ from = x;
      Q* __restrict__ to = y;
      for (int64_t i = quantize_vectors(from, s, z, to, n); i < n; ++i) to[i] = quantized<Q>(from[i], s, z);
    } else {
      for (int64_t i = 0; i < n; ++i) y[i] = quantized<Q>(x[i], scale[i * scale_step], zero_at(i));
    }
  }
};

template <class Q>
void quantize_as(const KernelArgs& args) {
  const Nest<4> nest = quantize_nest(args);
  const size_t in = nest.inner();
  const Q* zeros = args.has_input(2) ? args.inputs[2].as<const Q>() : nullptr;
  for_rows(*args.pool, nest, kPiece, kGrain, [&](const std::array<int64_t, 4>& at, int64_t n) {
    QuantizeRow<Q>{args.inputs[0].as<const float>() + at[1],
                   args.inputs[1].as<const float>() + at[2],
                   zeros == nullptr ? nullptr : zeros + at[3],
                   args.outputs[0].as<Q>() + at[0],
                   nest.strides[0][in],
                   nest.strides[1][in],
                   nest.strides[2][in],
                   nest.strides[3][in]}
        .run(n);
  });
}

void check_without_blocks(const KernelArgs& args) {
  require(args.as<QuantizeAttrs>().block_size == 0, "blocks of {}; scales for all or along an axis are accepted",
          args.as<QuantizeAttrs>().block_size);
}

// fp32 to integers of 8 or 16 bits, which the zero point has as well
void check_quantize(const KernelArgs& args) {
  const Operands o(args, 2, 3);
  reference::check_quantize(args);
  check_without_blocks(args);
  for (size_t i : {0, 1}) o.in(i).is({DataType::f32});
  o.out().is({DataType::u8, DataType::i8, DataType::u16, DataType::i16});
  o.in(2).type_of(o.out());
}

// Integers of up to 32 bits, which the zero point has as well, to fp32
void check_dequantize(const KernelArgs& args) {
  const Operands o(args, 2, 3);
  reference::check_quantize(args);
  check_without_blocks(args);
  o.in(0).is({DataType::u8, DataType::i8, DataType::u16, DataType::i16, DataType::i32});
  o.in(1).is({DataType::f32});
  o.in(2).type_of(o.in(0));
  o.out().is({DataType::f32});
}

void run_quantize(const KernelArgs& args) {
  switch (args.outputs[0].dtype) {
    case DataType::u8:
      return quantize_as<uint8_t>(args);
    case DataType::i8:
      return quantize_as<int8_t>(args);
    case DataType::u16:
      return quantize_as<uint16_t>(args);
    case DataType::i16:
      return quantize_as<int16_t>(args);
    default:
      fail(Code::unsupported, "quantisation to {}", data_type_name(args.outputs[0].dtype));
  }
}

// 8- and 16-bit differences are exact in fp32 and so is one rounding of the product; 32-bit ones need double.
template <class Q>
inline float dequantized(Q q, float scale, Q zero) {
  if constexpr (sizeof(Q) <= 2)
    return static_cast<float>(static_cast<int32_t>(q) - static_cast<int32_t>(zero)) * scale;
  else
    return static_cast<float>((static_cast<double>(q) - static_cast<double>(zero)) * static_cast<double>(scale));
}

template <class Q>
struct DequantizeRow {
  const Q *x, *zero;
  const float* scale;
  float* y;
  int64_t y_step, x_step, scale_step, zero_step;

  Q zero_at(int64_t i) const { return zero == nullptr ? Q{0} : zero[i * zero_step]; }
  void run(int64_t n) const {
    if (y_step != 1 || x_step != 1) {
      for (int64_t i = 0; i < n; ++i) y[i * y_step] = dequantized<Q>(x[i * x_step], scale[i * scale_step], zero_at(i));
    } else if (scale_step == 0 && zero_step == 0) {
      const float s = *scale;
      const Q z = zero_at(0);
      const Q* __restrict__ from = x;
      float* __restrict__ to = y;
      for (int64_t i = 0; i < n; ++i) to[i] = dequantized<Q>(from[i], s, z);
    } else {
      for (int64_t i = 0; i < n; ++i) y[i] = dequantized<Q>(x[i], scale[i * scale_step], zero_at(i));
    }
  }
};

template <class Q>
void dequantize_as(const KernelArgs& args) {
  const Nest<4> nest = quantize_nest(args);
  const size_t in = nest.inner();
  const Q* zeros = args.has_input(2) ? args.inputs[2].as<const Q>() : nullptr;
  for_rows(*args.pool, nest, kPiece, kGrain, [&](const std::array<int64_t, 4>& at, int64_t n) {
    DequantizeRow<Q>{args.inputs[0].as<const Q>() + at[1],
                     zeros == nullptr ? nullptr : zeros + at[3],
                     args.inputs[1].as<const float>() + at[2],
                     args.outputs[0].as<float>() + at[0],
                     nest.strides[0][in],
                     nest.strides[1][in],
                     nest.strides[2][in],
                     nest.strides[3][in]}
        .run(n);
  });
}

void run_dequantize(const KernelArgs& args) {
  switch (args.inputs[0].dtype) {
    case DataType::u8:
      return dequantize_as<uint8_t>(args);
    case DataType::i8:
      return dequantize_as<int8_t>(args);
    case DataType::u16:
      return dequantize_as<uint16_t>(args);
    case DataType::i16:
      return dequantize_as<int16_t>(args);
    case DataType::i32:
      return dequantize_as<int32_t>(args);
    default:
      fail(Code::unsupported, "dequantisation of {}", data_type_name(args.inputs[0].dtype));
  }
}

}  // namespace

void register_quantize(KernelTable& table) {
  table.add(make_kernel<QuantizeAttrs>("quantize_linear", check_quantize, run_quantize));
  table.add(make_kernel<QuantizeAttrs>("dequantize_linear", check_dequantize, run_dequantize));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
