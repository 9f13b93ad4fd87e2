// Conversion between element types, any strides. Floats to integers truncate and saturate, NaN becomes 0; integers
// to integers wrap.

#include <limits>
#include <type_traits>

#include "kernels/cpu/common/half.h"
#include "kernels/cpu/common/nest.h"
#include "kernels/reference/cast.h"
#include "kernels/reference/contracts.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

struct Truth {  // a stored bool
  uint8_t bits;
};

template <class T>
constexpr bool is_half = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;

template <class To>
To saturated(double value) {
  constexpr auto low = static_cast<double>(std::numeric_limits<To>::lowest()),
                 high = static_cast<double>(std::numeric_limits<To>::max());
  const To inside = static_cast<To>(value > low && value < high ? value : 0.0);
  return value >= high ? std::numeric_limits<To>::max() : value <= low ? std::numeric_limits<To>::lowest() : inside;
}

template <class To, class From>
inline To converted(From value) {
  if constexpr (is_half<From>)
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

// n elements of one row, `step` elements apart.
using ConvertRow = void (*)(const void* from, int64_t from_step, void* to, int64_t to_step, int64_t n);

// Whole vectors between f32 and 16 bits; returns how many elements these are.
template <class To, class From>
int64_t convert_vectors(const From* x, To* y, int64_t n) {
  int64_t i = 0;
  if constexpr (is_half<From> && std::is_same_v<To, float>)
    for (; i + Vec::kWidth <= n; i += Vec::kWidth) load_widened(x + i).store(y + i);
  else if constexpr (is_half<To> && std::is_same_v<From, float>)
    for (; i + Vec::kWidth <= n; i += Vec::kWidth) store_narrowed(Vec::load(x + i), y + i);
  return i;
}

template <class To, class From>
void convert_row(const void* from, int64_t from_step, void* to, int64_t to_step, int64_t n) {
  const auto* x = static_cast<const From*>(from);
  auto* y = static_cast<To*>(to);
  if (from_step == 1 && to_step == 1)
    for (int64_t i = convert_vectors(x, y, n); i < n; ++i) y[i] = converted<To>(x[i]);
  else
    for (int64_t i = 0; i < n; ++i) y[i * to_step] = converted<To>(x[i * from_step]);
}

template <class From>
ConvertRow conversion_from(DataType to) {
  switch (to) {
    case DataType::f32:
      return convert_row<float, From>;
    case DataType::i64:
      return convert_row<int64_t, From>;
    case DataType::i32:
      return convert_row<int32_t, From>;
    case DataType::i8:
      return convert_row<int8_t, From>;
    case DataType::u8:
      return convert_row<uint8_t, From>;
    case DataType::boolean:
      return convert_row<Truth, From>;
    case DataType::f16:
      return convert_row<Half, From>;
    case DataType::bf16:
      return convert_row<BFloat16, From>;
    default:
      fail(Code::unsupported, "cast to {}", data_type_name(to));
  }
}

ConvertRow conversion(DataType from, DataType to) {
  switch (from) {
    case DataType::f32:
      return conversion_from<float>(to);
    case DataType::i64:
      return conversion_from<int64_t>(to);
    case DataType::i32:
      return conversion_from<int32_t>(to);
    case DataType::i8:
      return conversion_from<int8_t>(to);
    case DataType::u8:
      return conversion_from<uint8_t>(to);
    case DataType::boolean:
      return conversion_from<Truth>(to);
    case DataType::f16:
      return conversion_from<Half>(to);
    case DataType::bf16:
      return conversion_from<BFloat16>(to);
    default:
      fail(Code::unsupported, "cast of {}", data_type_name(from));
  }
}

void run_cast(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const ConvertRow convert = conversion(x.dtype, y.dtype);
  const Nest<2> nest = make_nest<2>(x.extents(), {y.strides, x.strides});
  const int64_t y_step = nest.strides[0][nest.inner()], x_step = nest.strides[1][nest.inner()];
  const int64_t x_bytes = element_bytes(x.dtype), y_bytes = element_bytes(y.dtype);
  for_rows(*args.pool, nest, 4096, 16384, [&](const std::array<int64_t, 2>& at, int64_t n) {
    convert(static_cast<const std::byte*>(x.data) + at[1] * x_bytes, x_step,
            static_cast<std::byte*>(y.data) + at[0] * y_bytes, y_step, n);
  });
}

// Any two of these types, but integers of 32 bits and more do not become bf16: on the way through f32 they would be
// rounded twice.
void check_cast(const KernelArgs& args) {
  reference::check_cast(args);
  const Operands o(args, 1, 1);
  const auto kTypes = {DataType::f32, DataType::i64,     DataType::i32, DataType::i8,
                       DataType::u8,  DataType::boolean, DataType::f16, DataType::bf16};
  o.in(0).is(kTypes);
  const auto kRoundedOnce = {DataType::f32, DataType::i64,     DataType::i32, DataType::i8,
                             DataType::u8,  DataType::boolean, DataType::f16};
  const DataType from = args.inputs[0].dtype;
  o.out().is(from == DataType::i32 || from == DataType::i64 ? kRoundedOnce : kTypes);
}

}  // namespace

void register_cast(KernelTable& table) { table.add(make_kernel<CastAttrs>("cast", check_cast, run_cast)); }

}  // namespace planish::kernels::cpu::PLANISH_ISA
