// Elementwise programs, tile by tile. Operands of other types than fp32 whose values fp32 holds exactly are widened
// a tile at a time; a result of truth values or bytes is narrowed so. A program of one operand of bytes is run once, on
// all 256 of them: what follows is reading its results from a table. Two operands of bytes that one operator joins have
// vectors of their own.

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/check.h"
#include "kernels/cpu/common/byte_pair.h"
#include "kernels/cpu/common/half.h"
#include "kernels/cpu/common/math.h"
#include "kernels/cpu/common/nest.h"
#include "kernels/cpu/common/tile.h"
#include "tensor/copy.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

using Row = float* __restrict__;
using In = const float* __restrict__;

// A row of values, or (row null) one value for all of it. Left uninitialised in run_tile's large array.
struct Register {
  const float* row;
  float value;
};

template <class F>
inline void map1(const Register& a, Row out, int64_t n, F f) {
  if (a.row == nullptr) return static_cast<void>(std::fill_n(out, n, f(a.value)));
  In x = a.row;
  for (int64_t i = 0; i < n; ++i) out[i] = f(x[i]);
}
template <class F>
inline void map2(const Register& a, const Register& b, Row out, int64_t n, F f) {
  In x = a.row, y = b.row;
  const float p = a.value, q = b.value;
  if (x != nullptr && y != nullptr)
    for (int64_t i = 0; i < n; ++i) out[i] = f(x[i], y[i]);
  else if (x != nullptr)
    for (int64_t i = 0; i < n; ++i) out[i] = f(x[i], q);
  else if (y != nullptr)
    for (int64_t i = 0; i < n; ++i) out[i] = f(p, y[i]);
  else
    std::fill_n(out, n, f(p, q));
}

inline float nan_max(float a, float b) { return a != a ? a : (b > a || b != b) ? b : a; }
inline float nan_min(float a, float b) { return a != a ? a : (b < a || b != b) ? b : a; }
// `mask`: 1 detects +inf, 2 detects -inf, 3 both.
inline float detects_inf(float x, float mask) {
  const float wanted = x > 0 ? (mask == 1.f || mask == 3.f) : mask >= 2.f;
  return std::abs(x) > 3.4028234e38f ? wanted : 0.f;
}
inline float floor_mod(float a, float b) {
  const float rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

// Exponents that are few multiplications, and the square root of what pow defines: pow(-0, 0.5) = 0, pow(-inf, 0.5) =
// inf.
void run_pow(const Register& a, const Register& b, Row out, int64_t n) {
  if (b.row == nullptr) {
    if (b.value == 2) return map1(a, out, n, [](float x) { return x * x; });
    if (b.value == 3) return map1(a, out, n, [](float x) { return x * x * x; });
    if (b.value == -1) return map1(a, out, n, [](float x) { return 1.f / x; });
    if (b.value == 0.5f)
      return map1(a, out, n, [](float x) { return x == -HUGE_VALF ? HUGE_VALF : std::sqrt(x + 0.f); });
  }
  map2(a, b, out, n, [](float x, float y) { return std::pow(x, y); });
}

void run_unary(PwOp op, const Register& a, Row out, int64_t n) {
  switch (op) {
    case PwOp::neg:
      return map1(a, out, n, [](float x) { return -x; });
    case PwOp::abs:
      return map1(a, out, n, [](float x) { return std::abs(x); });
    case PwOp::exp:
      return map1(a, out, n, exp_exact_range);
    case PwOp::log:
      return map1(a, out, n, log_value);
    case PwOp::sqrt:
      return map1(a, out, n, [](float x) { return std::sqrt(x); });
    case PwOp::rsqrt:
      return map1(a, out, n, [](float x) { return 1.f / std::sqrt(x); });
    case PwOp::reciprocal:
      return map1(a, out, n, [](float x) { return 1.f / x; });
    case PwOp::sin:
      return map1(a, out, n, [](float x) { return std::sin(x); });
    case PwOp::cos:
      return map1(a, out, n, [](float x) { return std::cos(x); });
    case PwOp::tan:
      return map1(a, out, n, [](float x) { return std::tan(x); });
    case PwOp::asin:
      return map1(a, out, n, [](float x) { return std::asin(x); });
    case PwOp::acos:
      return map1(a, out, n, [](float x) { return std::acos(x); });
    case PwOp::atan:
      return map1(a, out, n, [](float x) { return std::atan(x); });
    case PwOp::sinh:
      return map1(a, out, n, [](float x) { return std::sinh(x); });
    case PwOp::cosh:
      return map1(a, out, n, [](float x) { return std::cosh(x); });
    case PwOp::tanh:
      return map1(a, out, n, tanh_value);
    case PwOp::asinh:
      return map1(a, out, n, [](float x) { return std::asinh(x); });
    case PwOp::acosh:
      return map1(a, out, n, [](float x) { return std::acosh(x); });
    case PwOp::atanh:
      return map1(a, out, n, [](float x) { return std::atanh(x); });
    case PwOp::erf:
      return map1(a, out, n, erf_value);
    case PwOp::sigmoid:
      return map1(a, out, n, sigmoid_value);
    case PwOp::floor:
      return map1(a, out, n, [](float x) { return std::floor(x); });
    case PwOp::ceil:
      return map1(a, out, n, [](float x) { return std::ceil(x); });
    case PwOp::round:
      return map1(a, out, n, [](float x) { return std::nearbyint(x); });
    case PwOp::trunc:
      return map1(a, out, n, [](float x) { return std::trunc(x); });
    case PwOp::sign:
      return map1(a, out, n, [](float x) { return x > 0 ? 1.f : x < 0 ? -1.f : x; });
    case PwOp::logical_not:
      return map1(a, out, n, [](float x) { return x == 0 ? 1.f : 0.f; });
    case PwOp::is_nan:
      return map1(a, out, n, [](float x) { return x != x ? 1.f : 0.f; });
    case PwOp::softplus:
      return map1(a, out, n, softplus_value);
    default:
      fail(Code::unsupported, "{} of fp32 elements", pw_name(op));
  }
}

void run_binary(PwOp op, const Register& a, const Register& b, Row out, int64_t n) {
  switch (op) {
    case PwOp::add:
      return map2(a, b, out, n, [](float x, float y) { return x + y; });
    case PwOp::sub:
      return map2(a, b, out, n, [](float x, float y) { return x - y; });
    case PwOp::mul:
      return map2(a, b, out, n, [](float x, float y) { return x * y; });
    case PwOp::div:
      return map2(a, b, out, n, [](float x, float y) { return x / y; });
    case PwOp::pow:
      return run_pow(a, b, out, n);
    case PwOp::min:
      return map2(a, b, out, n, nan_min);
    case PwOp::max:
      return map2(a, b, out, n, nan_max);
    case PwOp::mod:
      return map2(a, b, out, n, floor_mod);
    case PwOp::fmod:
      return map2(a, b, out, n, [](float x, float y) { return std::fmod(x, y); });
    case PwOp::equal:
      return map2(a, b, out, n, [](float x, float y) { return x == y ? 1.f : 0.f; });
    case PwOp::less:
      return map2(a, b, out, n, [](float x, float y) { return x < y ? 1.f : 0.f; });
    case PwOp::less_equal:
      return map2(a, b, out, n, [](float x, float y) { return x <= y ? 1.f : 0.f; });
    case PwOp::greater:
      return map2(a, b, out, n, [](float x, float y) { return x > y ? 1.f : 0.f; });
    case PwOp::greater_equal:
      return map2(a, b, out, n, [](float x, float y) { return x >= y ? 1.f : 0.f; });
    case PwOp::logical_and:
      return map2(a, b, out, n, [](float x, float y) { return x != 0 && y != 0 ? 1.f : 0.f; });
    case PwOp::logical_or:
      return map2(a, b, out, n, [](float x, float y) { return x != 0 || y != 0 ? 1.f : 0.f; });
    case PwOp::logical_xor:
      return map2(a, b, out, n, [](float x, float y) { return (x != 0) != (y != 0) ? 1.f : 0.f; });
    case PwOp::is_inf:
      return map2(a, b, out, n, detects_inf);
    default:
      fail(Code::unsupported, "{} of fp32 elements", pw_name(op));
  }
}

// Scratch rows of this thread; grows once.
float* scratch_rows(size_t count) {
  thread_local std::unique_ptr<float[]> rows;
  thread_local size_t capacity = 0;
  if (capacity < count) {
    rows = std::make_unique<float[]>(count * kTile);
    capacity = count;
  }
  return rows.get();
}

constexpr int64_t kWhole = 16;  // rows are computed in multiples of this: no scalar tails

// The operand's n elements; where `whole` is more, behind them repetitions of the last.
Register load_operand(const TileOperand& operand, int64_t n, int64_t whole, float* row) {
  if (operand.step == 0) return {nullptr, *operand.data};
  if (operand.step == 1 && n == whole) return {operand.data, 0};
  if (operand.step == 1)
    std::copy_n(operand.data, n, row);
  else
    for (int64_t i = 0; i < n; ++i) row[i] = operand.data[i * operand.step];
  std::fill(row + n, row + whole, row[n - 1]);
  return {row, 0};
}

void run_select(const Register& a, const Register& b, const Register& c, Row out, int64_t n) {
  const auto value = [](const Register& r, int64_t i) { return r.row != nullptr ? r.row[i] : r.value; };
  if (a.row != nullptr && b.row != nullptr && c.row != nullptr) {
    In x = a.row, y = b.row, z = c.row;
    for (int64_t i = 0; i < n; ++i) out[i] = x[i] != 0 ? y[i] : z[i];
  } else {
    for (int64_t i = 0; i < n; ++i) out[i] = value(a, i) != 0 ? value(b, i) : value(c, i);
  }
}

struct Decoded {
  PointwiseProgram program;
  std::optional<BytePair> pair;
};

constexpr size_t kMostOperands = 32;

template <class T>
void widen(const void* data, int64_t offset, int64_t step, int64_t n, float* __restrict__ row) {
  const T* __restrict__ from = static_cast<const T*>(data) + offset;
  if (step == 1)
    for (int64_t i = 0; i < n; ++i) row[i] = float_of(from[i]);
  else
    for (int64_t i = 0; i < n; ++i) row[i] = float_of(from[i * step]);
}

void narrow_halves(BFloat16* out, int64_t step, const float* values, int64_t n) {
  const HalfStore store;
  if (step != 1) {
    for (int64_t i = 0; i < n; ++i) out[i * step] = to_bfloat16(values[i]);
    return;
  }
  int64_t i = 0;
  for (; i + Vec::kWidth <= n; i += Vec::kWidth) store(Vec::load(values + i), out + i);
  if (i < n) store(Vec::load_part(values + i, static_cast<int>(n - i)), out + i, static_cast<int>(n - i));
}

// Elements at `offset`, widened into `row` where they are not fp32. One element where they repeat.
TileOperand tile_operand(const TensorView& view, int64_t offset, int64_t step, int64_t n, float* row) {
  const int64_t count = step == 0 ? 1 : n;
  switch (view.dtype) {
    case DataType::f32:
      return {view.as<const float>() + offset, step};
    case DataType::bf16:
      widen<BFloat16>(view.data, offset, step, count, row);
      break;
    case DataType::i8:
      widen<int8_t>(view.data, offset, step, count, row);
      break;
    case DataType::i16:
      widen<int16_t>(view.data, offset, step, count, row);
      break;
    case DataType::u16:
      widen<uint16_t>(view.data, offset, step, count, row);
      break;
    case DataType::u8:
    case DataType::boolean:
      widen<uint8_t>(view.data, offset, step, count, row);
      break;
    default:
      fail(Code::unsupported, "pointwise of {} operands", data_type_name(view.dtype));
  }
  return {row, step == 0 ? 0 : 1};
}

// saturate(round_half_even(v)), 0 for NaN: adding 1.5 * 2^23 rounds and leaves the number in the low bits.
template <class T>
void narrow_bytes(T* out, int64_t step, const float* __restrict__ values, int64_t n) {
  constexpr float kMagic = 12582912.f, kLow = std::numeric_limits<T>::min(), kHigh = std::numeric_limits<T>::max();
  const auto number = [](float v) {
    const float raised = v > kLow ? v : v == v ? kLow : 0.f, bounded = raised < kHigh ? raised : kHigh;
    return static_cast<T>(std::bit_cast<int32_t>(bounded + kMagic));
  };
  T* __restrict__ to = out;
  if (step == 1)
    for (int64_t i = 0; i < n; ++i) to[i] = number(values[i]);
  else
    for (int64_t i = 0; i < n; ++i) to[i * step] = number(values[i]);
}

void store_tile(const TensorView& y, int64_t offset, int64_t step, const float* values, int64_t n) {
  if (y.dtype == DataType::boolean) {
    uint8_t* out = y.as<uint8_t>() + offset;
    for (int64_t i = 0; i < n; ++i) out[i * step] = values[i] != 0 ? 1 : 0;
  } else if (y.dtype == DataType::u8) {
    narrow_bytes(y.as<uint8_t>() + offset, step, values, n);
  } else if (y.dtype == DataType::i8) {
    narrow_bytes(y.as<int8_t>() + offset, step, values, n);
  } else if (y.dtype == DataType::bf16) {
    narrow_halves(y.as<BFloat16>() + offset, step, values, n);
  } else {
    float* out = y.as<float>() + offset;
    for (int64_t i = 0; i < n; ++i) out[i * step] = values[i];
  }
}

// n elements, or the same one n times, as a row of fp32.
void fill_row(const TensorView& view, int64_t offset, int64_t step, int64_t n, float* row) {
  const TileOperand operand = tile_operand(view, offset, step, n, row);
  if (operand.step == 0)
    std::fill_n(row, n, *operand.data);
  else if (operand.data != row)
    for (int64_t i = 0; i < n; ++i) row[i] = operand.data[i * operand.step];
}

constexpr int64_t kShortRow = kTile / 2;

// How the rows of an operand follow each other: without a gap, as one and the same row, or otherwise.
enum class RowsLie { joined, repeated, apart };

template <size_t N>
RowsLie rows_lie(const Nest<N>& nest, size_t operand) {
  const Strides& strides = nest.strides[operand];
  if (nest.rank != 2) return RowsLie::apart;
  if (strides[0] == 0) return RowsLie::repeated;
  return strides[1] == 1 && strides[0] == nest.dims[1] ? RowsLie::joined : RowsLie::apart;
}

// Rows of which a tile holds several; as many as fill whole vectors, where that is possible.
inline int64_t rows_of_tile(int64_t length) {
  const int64_t most = kTile / length;
  for (int64_t rows = most; rows > 0; --rows)
    if (rows * length % kWhole == 0) return rows;
  return most;
}

// Rows that are short: several a tile, side by side, as each run of a program has a price of its own.
template <size_t N>
void run_short_rows(const KernelArgs& args, const PointwiseProgram& program, const Nest<N>& nest) {
  const TensorView& y = args.outputs[0];
  const size_t in = nest.inner(), operands = args.inputs.size();
  const int64_t length = nest.dims[in], most = rows_of_tile(length);
  const bool joined = rows_lie(nest, 0) == RowsLie::joined, in_place = joined && y.dtype == DataType::f32;
  std::array<RowsLie, N> lie{};
  for (size_t k = 0; k < operands; ++k) lie[k] = rows_lie(nest, k + 1);
  args.pool->parallel_for(nest.outer_count(), std::max<int64_t>(1, 4096 / length), [&](int64_t begin, int64_t end) {
    NestPosition<N> at(nest, begin);
    TileOperand tile[N];
    float rows[N][kTile], result[kTile];
    int64_t to[kTile];
    const auto fill = [&](size_t k, int64_t r) {
      fill_row(args.inputs[k], at.offset[k + 1], nest.strides[k + 1][in], length, rows[k] + r * length);
    };
    for (size_t k = 0; k < operands; ++k) {
      tile[k] = {rows[k], 1};
      for (int64_t r = 0; r < most && lie[k] == RowsLie::repeated; ++r) fill(k, r);
    }
    for (int64_t row = begin; row < end;) {
      const int64_t count = std::min(most, end - row);
      for (size_t k = 0; k < operands; ++k)
        if (lie[k] == RowsLie::joined)
          tile[k] = tile_operand(args.inputs[k], at.offset[k + 1], 1, count * length, rows[k]);
      float* const out = in_place ? y.as<float>() + at.offset[0] : result;
      for (int64_t r = 0; r < count; ++r, ++row, at.next()) {
        to[r] = at.offset[0];
        for (size_t k = 0; k < operands; ++k)
          if (lie[k] == RowsLie::apart) fill(k, r);
      }
      run_tile(program, tile, count * length, out);
      if (joined && !in_place) store_tile(y, to[0], 1, result, count * length);
      for (int64_t r = 0; r < count && !joined; ++r)
        store_tile(y, to[r], nest.strides[0][in], result + r * length, length);
    }
  });
}

// The nest's operands: the result, then the program's. N bounds their number.
template <size_t N>
void run_nest(const KernelArgs& args, const PointwiseProgram& program) {
  const TensorView& y = args.outputs[0];
  const size_t operands = args.inputs.size();
  std::array<Strides, N> strides{};
  strides[0] = y.strides;
  for (size_t k = 0; k < operands; ++k) strides[k + 1] = broadcast_strides(args.inputs[k], y.extents());
  const Nest<N> nest = make_nest<N>(y.extents(), strides);
  const size_t in = nest.inner();
  if (nest.is_empty()) return;
  if (nest.dims[in] <= kShortRow && nest.rank > 1) return run_short_rows<N>(args, program, nest);
  const int64_t y_step = nest.strides[0][in];
  const bool direct = y_step == 1 && y.dtype == DataType::f32;
  for_rows(*args.pool, nest, kTile, 4096, [&](const std::array<int64_t, N>& at, int64_t n) {
    TileOperand row[N];
    float widened[N][kTile], result[kTile];
    for (size_t k = 0; k < operands; ++k)
      row[k] = tile_operand(args.inputs[k], at[k + 1], nest.strides[k + 1][in], n, widened[k]);
    run_tile(program, row, n, direct ? y.as<float>() + at[0] : result);
    if (!direct) store_tile(y, at[0], y_step, result, n);
  });
}

// As many operands as the program has, of types whose values fp32 holds; they spread over the result, fp32, bf16, truth
// or bytes.
void check_pointwise(const KernelArgs& args) {
  const PointwiseProgram& program = args.as<Decoded>().program;
  const auto inputs = static_cast<size_t>(program.inputs);
  require(inputs <= kMostOperands && program.results.size() == 1, "a program of {} operands and {} results", inputs,
          program.results.size());
  const Operands o(args, inputs, inputs);
  for (size_t i = 0; i < inputs; ++i)
    o.in(i)
        .is({DataType::f32, DataType::bf16, DataType::i8, DataType::i16, DataType::u16, DataType::u8,
             DataType::boolean})
        .spreads_over(o.out().extents());
  o.out().is({DataType::f32, DataType::bf16, DataType::boolean, DataType::u8, DataType::i8});
}

constexpr int64_t kBytes = 256;

// The program's results, stored as the type of `y`, by the bits of its operand.
template <class T>
void fill_table(const PointwiseProgram& program, const TensorView& x, const TensorView& y, T* table) {
  uint8_t bytes[kBytes];
  float numbers[kBytes], results[kBytes];
  for (int64_t i = 0; i < kBytes; ++i) bytes[i] = static_cast<uint8_t>(i);
  TensorView all = make_view(bytes, x.dtype, {&kBytes, 1});
  const TileOperand operand = tile_operand(all, 0, 1, kBytes, numbers);
  run_tile(program, &operand, kBytes, results);
  store_tile(make_view(table, y.dtype, {&kBytes, 1}), 0, 1, results, kBytes);
}

template <class T>
void run_table(const KernelArgs& args, const PointwiseProgram& program) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  T table[kBytes];
  fill_table(program, x, y, table);
  const Nest<2> nest = make_nest<2>(y.extents(), {y.strides, broadcast_strides(x, y.extents())});
  const T* const known = table;
  for_rows(*args.pool, nest, 4096, 16384, [&, known](const std::array<int64_t, 2>& at, int64_t n) {
    const int64_t y_step = nest.strides[0][nest.inner()], x_step = nest.strides[1][nest.inner()];
    T* __restrict__ to = y.as<T>() + at[0];
    const uint8_t* __restrict__ from = static_cast<const uint8_t*>(x.data) + at[1];
    if (y_step == 1 && x_step == 1 && n > 4) return look_up(known, from, to, n);
    for (int64_t i = 0; i < n; ++i) to[i * y_step] = known[from[i * x_step]];
  });
}

// Bytes that lie in another order than the result's: moved in tiles, then looked up where they have arrived.
bool looks_up_behind_copy(const KernelArgs& args, const PointwiseProgram& program) {
  constexpr int64_t kLeastRow = 16;
  TensorView x = args.inputs[0], y = args.outputs[0];
  const Strides from = broadcast_strides(x, y.extents());
  const Nest<2> nest = make_nest<2>(y.extents(), {y.strides, from});
  const size_t in = nest.inner();
  if (nest.strides[0][in] != 1 || nest.strides[1][in] <= 1 || nest.dims[in] < kLeastRow) return false;
  uint8_t table[kBytes];
  fill_table(program, x, y, table);
  TensorView moved = y;
  moved.data = x.data;
  moved.strides = from;
  moved.dtype = y.dtype = DataType::u8;
  copy_view(moved, y, *args.pool);
  for_rows(*args.pool, nest, 4096, 16384, [&](const std::array<int64_t, 2>& at, int64_t n) {
    look_up(table, y.as<uint8_t>() + at[0], y.as<uint8_t>() + at[0], n);
  });
  return true;
}

bool is_bytes(const TensorView& view) { return view.dtype == DataType::u8 || view.dtype == DataType::i8; }

bool has_table(const KernelArgs& args) {
  return args.inputs.size() == 1 && is_bytes(args.inputs[0]) && args.outputs[0].element_count() >= kBytes &&
         args.outputs[0].dtype != DataType::bf16;
}

template <class T>
void run_pair(const KernelArgs& args, const BytePair& pair, const Nest<3>& nest) {
  const size_t in = nest.inner();
  const BytePairRow<T> row(pair);
  for_rows(*args.pool, nest, 4096, 16384, [&](const std::array<int64_t, 3>& at, int64_t n) {
    std::array<ByteSide, 2> sides;
    for (size_t k = 0; k < 2; ++k) {
      const size_t i = pair.sides[k].input;
      sides[k] = {static_cast<const std::byte*>(args.inputs[i].data) + at[i + 1], args.inputs[i].dtype == DataType::i8,
                  nest.strides[i + 1][in]};
    }
    row.run(sides, args.outputs[0].as<T>() + at[0], n);
  });
}

// False where the operands are others, or lie otherwise than rows of bytes.
bool run_as_pair(const KernelArgs& args, const std::optional<BytePair>& pair) {
  constexpr int64_t kLeastRow = 8;
  const TensorView& y = args.outputs[0];
  if (!pair || !is_bytes(y) || !is_bytes(args.inputs[0]) || !is_bytes(args.inputs[1])) return false;
  const Nest<3> nest = make_nest<3>(y.extents(), {y.strides, broadcast_strides(args.inputs[0], y.extents()),
                                                  broadcast_strides(args.inputs[1], y.extents())});
  const auto step = [&](size_t k) { return nest.strides[k][nest.inner()]; };
  if (nest.dims[nest.inner()] < kLeastRow || step(0) != 1 || (step(1) | step(2)) < 0 || step(1) > 1 || step(2) > 1)
    return false;
  y.dtype == DataType::u8 ? run_pair<uint8_t>(args, *pair, nest) : run_pair<int8_t>(args, *pair, nest);
  return true;
}

void run_pointwise(const KernelArgs& args) {
  const PointwiseProgram& program = args.as<Decoded>().program;
  if (run_as_pair(args, args.as<Decoded>().pair)) return;
  const bool to_bytes = args.outputs[0].dtype != DataType::f32;
  if (has_table(args) && to_bytes && looks_up_behind_copy(args, program)) return;
  if (has_table(args))
    to_bytes ? run_table<uint8_t>(args, program) : run_table<float>(args, program);
  else if (args.inputs.size() < 4)
    run_nest<4>(args, program);
  else
    run_nest<kMostOperands + 1>(args, program);
}

}  // namespace

void fill_table(const PointwiseProgram& program, DataType type, uint8_t (&table)[256]) {
  const TensorView bytes = make_view(nullptr, type, {});
  fill_table(program, bytes, bytes, static_cast<uint8_t*>(table));
}

void run_tile(const PointwiseProgram& program, const TileOperand* operands, int64_t n, float* out) {
  const auto inputs = static_cast<size_t>(program.inputs);
  float* rows = scratch_rows(inputs + program.code.size());
  Register registers[4096 + 256];
  const int64_t whole = (n + kWhole - 1) / kWhole * kWhole;
  for (size_t i = 0; i < inputs; ++i) registers[i] = load_operand(operands[i], n, whole, rows + i * kTile);
  for (size_t k = 0; k < program.code.size(); ++k) {
    const PwInstr& instruction = program.code[k];
    float* row = rows + (inputs + k) * kTile;
    const Register &a = registers[instruction.a], &b = registers[instruction.b], &c = registers[instruction.c];
    const int arity = pw_arity(instruction.op);
    registers[inputs + k] =
        arity == 0 ? Register{nullptr, static_cast<float>(instruction.immediate)} : Register{row, 0};
    if (arity == 1)
      run_unary(instruction.op, a, row, whole);
    else if (arity == 2)
      run_binary(instruction.op, a, b, row, whole);
    else if (arity == 3)
      run_select(a, b, c, row, whole);
  }
  const Register& result = registers[program.results[0]];
  if (result.row == nullptr)
    std::fill_n(out, n, result.value);
  else if (result.row != out)
    std::copy_n(result.row, n, out);
}

void register_pointwise(KernelTable& table) {
  Kernel kernel;
  kernel.name = "pointwise";
  kernel.decode = [](const Attrs& attrs) -> std::shared_ptr<const void> {
    Decoded decoded{PointwiseProgram::parse(attrs.get<std::string>("program")), {}};
    decoded.pair = BytePairReader(decoded.program).read();
    return std::make_shared<const Decoded>(std::move(decoded));
  };
  kernel.check = check_pointwise;
  kernel.run = run_pointwise;
  table.add(std::move(kernel));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
