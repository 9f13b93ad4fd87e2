// Conversion between element types, any strides. Floats to integers truncate and saturate, NaN becomes 0; integers
// to integers wrap.

#include <limits>
#include <type_traits>

#include "kernels/cpu/common/nest.h"
#include "kernels/kernel.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

struct Truth {  // a stored bool
  uint8_t bits;
};

template <class To>
To saturated(double value) {
  constexpr auto low = static_cast<double>(std::numeric_limits<To>::lowest()),
                 high = static_cast<double>(std::numeric_limits<To>::max());
  const To inside = static_cast<To>(value > low && value < high ? value : 0.0);
  return value >= high ? std::numeric_limits<To>::max() : value <= low ? std::numeric_limits<To>::lowest() : inside;
}

template <class To, class From>
inline To converted(From value) {
  if constexpr (std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>)
    return converted<To>(to_float(value));
  else if constexpr (std::is_same_v<From, Truth>)
    return converted<To>(static_cast<int32_t>(value.bits != 0));
  else if constexpr (std::is_same_v<To, Truth>)
    return {static_cast<uint8_t>(value != 0)};
  else if constexpr (std::is_same_v<To, Half>)
    return to_half(static_cast<float>(value));
  else if constexpr (std::is_same_v<To, BFloat16>)
    return to_bfloat16(static_cast<float>(value));
  else if constexpr (std::is_same_v<From, float> && std::is_integral_v<To>)
    return saturated<To>(static_cast<double>(value));
  else if constexpr (std::is_same_v<To, float>)
    return static_cast<float>(static_cast<double>(value));
  else
    return static_cast<To>(value);
}

template <class To, class From>
void cast_rows(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const Nest<2> nest = make_nest<2>(x.extents(), {y.strides, x.strides});
  const int64_t y_step = nest.strides[0][nest.inner()], x_step = nest.strides[1][nest.inner()];
  for_rows(*args.pool, nest, 4096, 16384, [&](const std::array<int64_t, 2>& at, int64_t n) {
    const From* from = x.as<const From>() + at[1];
    To* to = y.as<To>() + at[0];
    if (x_step == 1 && y_step == 1)
      for (int64_t i = 0; i < n; ++i) to[i] = converted<To>(from[i]);
    else
      for (int64_t i = 0; i < n; ++i) to[i * y_step] = converted<To>(from[i * x_step]);
  });
}

template <class From>
void cast_from(const KernelArgs& args) {
  switch (args.outputs[0].dtype) {
    case DataType::f32:
      return cast_rows<float, From>(args);
    case DataType::i64:
      return cast_rows<int64_t, From>(args);
    case DataType::i32:
      return cast_rows<int32_t, From>(args);
    case DataType::i8:
      return cast_rows<int8_t, From>(args);
    case DataType::u8:
      return cast_rows<uint8_t, From>(args);
    case DataType::boolean:
      return cast_rows<Truth, From>(args);
    case DataType::f16:
      return cast_rows<Half, From>(args);
    case DataType::bf16:
      return cast_rows<BFloat16, From>(args);
    default:
      fail(Code::unsupported, "cast to {}", data_type_name(args.outputs[0].dtype));
  }
}

void run_cast(const KernelArgs& args) {
  switch (args.inputs[0].dtype) {
    case DataType::f32:
      return cast_from<float>(args);
    case DataType::i64:
      return cast_from<int64_t>(args);
    case DataType::i32:
      return cast_from<int32_t>(args);
    case DataType::i8:
      return cast_from<int8_t>(args);
    case DataType::u8:
      return cast_from<uint8_t>(args);
    case DataType::boolean:
      return cast_from<Truth>(args);
    case DataType::f16:
      return cast_rows<float, Half>(args);
    case DataType::bf16:
      return cast_rows<float, BFloat16>(args);
    default:
      fail(Code::unsupported, "cast of {}", data_type_name(args.inputs[0].dtype));
  }
}

struct CastParams {
  DataType to = DataType::none;
  int64_t saturate = 1;
  template <class V>
  void fields(V& v) {
    v("to", to);
    v("saturate", saturate);
  }
};

}  // namespace

void register_cast(KernelTable& table) { table.add(make_kernel<CastParams>("cast", run_cast)); }

}  // namespace planish::kernels::cpu::PLANISH_ISA
