// Elementwise programs of integers and truth values, tile by tile, in 64 bits.

#include <algorithm>
#include <memory>

#include "kernels/check.h"
#include "kernels/cpu/common/nest.h"
#include "kernels/pointwise.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace integers {
namespace {

constexpr int64_t kTile = 256;
constexpr size_t kMostOperands = 32;

using Row = int64_t* __restrict__;
using In = const int64_t* __restrict__;

inline int64_t wrapped(uint64_t value) { return static_cast<int64_t>(value); }

template <class F>
inline void map1(In a, Row out, int64_t n, F f) {
  for (int64_t i = 0; i < n; ++i) out[i] = f(a[i]);
}
template <class F>
inline void map2(In a, In b, Row out, int64_t n, F f) {
  for (int64_t i = 0; i < n; ++i) out[i] = f(a[i], b[i]);
}

// The quotient by -1 wraps.
inline int64_t quotient(int64_t a, int64_t b) {
  if (b == 0) fail(Code::invalid_argument, "an integer division by zero");
  return b == -1 ? wrapped(0 - static_cast<uint64_t>(a)) : a / b;
}
inline int64_t remainder(int64_t a, int64_t b) {
  if (b == 0) fail(Code::invalid_argument, "an integer division by zero");
  return b == -1 ? 0 : a % b;
}
inline int64_t modulus(int64_t a, int64_t b) {
  const int64_t rest = remainder(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
inline int64_t shifted(int64_t a, int64_t b, bool left) {
  if (b < 0 || b > 63) return 0;
  const auto bits = static_cast<uint64_t>(a);
  return wrapped(left ? bits << b : bits >> b);
}
inline int64_t power(int64_t a, int64_t b) {
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
  uint64_t result = 1, base = static_cast<uint64_t>(a);
  for (; b > 0; b >>= 1, base *= base)
    if ((b & 1) != 0) result *= base;
  return wrapped(result);
}

void run_unary(PwOp op, In a, Row out, int64_t n) {
  switch (op) {
    case PwOp::neg:
      return map1(a, out, n, [](int64_t x) { return wrapped(0 - static_cast<uint64_t>(x)); });
    case PwOp::abs:
      return map1(a, out, n, [](int64_t x) { return x < 0 ? wrapped(0 - static_cast<uint64_t>(x)) : x; });
    case PwOp::floor:
    case PwOp::ceil:
    case PwOp::round:
    case PwOp::trunc:
      return map1(a, out, n, [](int64_t x) { return x; });
    case PwOp::sign:
      return map1(a, out, n, [](int64_t x) -> int64_t { return (x > 0) - (x < 0); });
    case PwOp::logical_not:
      return map1(a, out, n, [](int64_t x) -> int64_t { return x == 0; });
    case PwOp::bit_not:
      return map1(a, out, n, [](int64_t x) { return ~x; });
    case PwOp::is_nan:
      return map1(a, out, n, [](int64_t) -> int64_t { return 0; });
    default:
      fail(Code::unsupported, "{} of integer elements", pw_name(op));
  }
}

void run_arithmetic(PwOp op, In a, In b, Row out, int64_t n) {
  switch (op) {
    case PwOp::add:
      return map2(a, b, out, n,
                  [](int64_t x, int64_t y) { return wrapped(static_cast<uint64_t>(x) + static_cast<uint64_t>(y)); });
    case PwOp::sub:
      return map2(a, b, out, n,
                  [](int64_t x, int64_t y) { return wrapped(static_cast<uint64_t>(x) - static_cast<uint64_t>(y)); });
    case PwOp::mul:
      return map2(a, b, out, n,
                  [](int64_t x, int64_t y) { return wrapped(static_cast<uint64_t>(x) * static_cast<uint64_t>(y)); });
    case PwOp::div:
      return map2(a, b, out, n, quotient);
    case PwOp::pow:
      return map2(a, b, out, n, power);
    case PwOp::min:
      return map2(a, b, out, n, [](int64_t x, int64_t y) { return x < y ? x : y; });
    case PwOp::max:
      return map2(a, b, out, n, [](int64_t x, int64_t y) { return x > y ? x : y; });
    case PwOp::mod:
      return map2(a, b, out, n, modulus);
    case PwOp::fmod:
      return map2(a, b, out, n, remainder);
    case PwOp::is_inf:
      return static_cast<void>(std::fill_n(out, n, 0));
    default:
      fail(Code::unsupported, "{} of integer elements", pw_name(op));
  }
}

void run_binary(PwOp op, In a, In b, Row out, int64_t n) {
  switch (op) {
    case PwOp::equal:
      return map2(a, b, out, n, [](int64_t x, int64_t y) -> int64_t { return x == y; });
    case PwOp::less:
      return map2(a, b, out, n, [](int64_t x, int64_t y) -> int64_t { return x < y; });
    case PwOp::less_equal:
      return map2(a, b, out, n, [](int64_t x, int64_t y) -> int64_t { return x <= y; });
    case PwOp::greater:
      return map2(a, b, out, n, [](int64_t x, int64_t y) -> int64_t { return x > y; });
    case PwOp::greater_equal:
      return map2(a, b, out, n, [](int64_t x, int64_t y) -> int64_t { return x >= y; });
    case PwOp::logical_and:
      return map2(a, b, out, n, [](int64_t x, int64_t y) -> int64_t { return (x != 0) & (y != 0); });
    case PwOp::logical_or:
      return map2(a, b, out, n, [](int64_t x, int64_t y) -> int64_t { return (x != 0) | (y != 0); });
    case PwOp::logical_xor:
      return map2(a, b, out, n, [](int64_t x, int64_t y) -> int64_t { return (x != 0) != (y != 0); });
    case PwOp::bit_and:
      return map2(a, b, out, n, [](int64_t x, int64_t y) { return x & y; });
    case PwOp::bit_or:
      return map2(a, b, out, n, [](int64_t x, int64_t y) { return x | y; });
    case PwOp::bit_xor:
      return map2(a, b, out, n, [](int64_t x, int64_t y) { return x ^ y; });
    case PwOp::shift_left:
      return map2(a, b, out, n, [](int64_t x, int64_t y) { return shifted(x, y, true); });
    case PwOp::shift_right:
      return map2(a, b, out, n, [](int64_t x, int64_t y) { return shifted(x, y, false); });
    default:
      return run_arithmetic(op, a, b, out, n);
  }
}

template <class T>
void load_as(const TensorView& view, int64_t offset, int64_t step, int64_t n, Row row) {
  const T* from = view.as<const T>() + offset;
  if (step == 0)
    std::fill_n(row, n, static_cast<int64_t>(*from));
  else
    for (int64_t i = 0; i < n; ++i) row[i] = static_cast<int64_t>(from[i * step]);
}

void load_row(const TensorView& view, int64_t offset, int64_t step, int64_t n, Row row) {
  switch (view.dtype) {
    case DataType::i64:
      return load_as<int64_t>(view, offset, step, n, row);
    case DataType::i32:
      return load_as<int32_t>(view, offset, step, n, row);
    case DataType::u32:
      return load_as<uint32_t>(view, offset, step, n, row);
    case DataType::i16:
      return load_as<int16_t>(view, offset, step, n, row);
    case DataType::u16:
      return load_as<uint16_t>(view, offset, step, n, row);
    case DataType::i8:
      return load_as<int8_t>(view, offset, step, n, row);
    case DataType::u8:
      return load_as<uint8_t>(view, offset, step, n, row);
    case DataType::boolean:
      load_as<uint8_t>(view, offset, step, n, row);
      for (int64_t i = 0; i < n; ++i) row[i] = row[i] != 0;
      return;
    default:
      fail(Code::unsupported, "integer arithmetic of {} operands", data_type_name(view.dtype));
  }
}

template <class T>
void store_as(const TensorView& view, int64_t offset, int64_t step, In row, int64_t n) {
  T* to = view.as<T>() + offset;
  for (int64_t i = 0; i < n; ++i) to[i * step] = static_cast<T>(row[i]);
}

void store_row(const TensorView& view, int64_t offset, int64_t step, In row, int64_t n) {
  switch (view.dtype) {
    case DataType::i64:
      return store_as<int64_t>(view, offset, step, row, n);
    case DataType::i32:
      return store_as<int32_t>(view, offset, step, row, n);
    case DataType::u32:
      return store_as<uint32_t>(view, offset, step, row, n);
    case DataType::i16:
      return store_as<int16_t>(view, offset, step, row, n);
    case DataType::u16:
      return store_as<uint16_t>(view, offset, step, row, n);
    case DataType::i8:
      return store_as<int8_t>(view, offset, step, row, n);
    case DataType::u8:
      return store_as<uint8_t>(view, offset, step, row, n);
    case DataType::boolean:
      for (int64_t i = 0; i < n; ++i) view.as<uint8_t>()[offset + i * step] = row[i] != 0 ? 1 : 0;
      return;
    default:
      fail(Code::unsupported, "integer arithmetic with a {} result", data_type_name(view.dtype));
  }
}

// Rows of registers of this thread; grow once.
int64_t* integer_rows(size_t count) {
  thread_local std::unique_ptr<int64_t[]> rows;
  thread_local size_t capacity = 0;
  if (capacity < count) {
    rows = std::make_unique<int64_t[]>(count * kTile);
    capacity = count;
  }
  return rows.get();
}

// Inputs lie in rows 0 … inputs - 1; returns the result's row.
const int64_t* run_program(const PointwiseProgram& program, int64_t* rows, int64_t n) {
  const auto row = [&](size_t i) { return rows + static_cast<int64_t>(i) * kTile; };
  for (size_t k = 0; k < program.code.size(); ++k) {
    const PwInstr& i = program.code[k];
    int64_t* out = row(static_cast<size_t>(program.inputs) + k);
    switch (pw_arity(i.op)) {
      case 0:
        std::fill_n(out, n, pw_integer(i.immediate));
        break;
      case 1:
        run_unary(i.op, row(i.a), out, n);
        break;
      case 2:
        run_binary(i.op, row(i.a), row(i.b), out, n);
        break;
      default:
        for (int64_t j = 0; j < n; ++j) out[j] = row(i.a)[j] != 0 ? row(i.b)[j] : row(i.c)[j];
    }
  }
  return row(program.results[0]);
}

struct Decoded {
  PointwiseProgram program;
};

// As many operands as the program has; they spread over the result. Integers of up to 64 bits, but u64, and truth.
void check_integers(const KernelArgs& args) {
  const PointwiseProgram& program = args.as<Decoded>().program;
  const auto inputs = static_cast<size_t>(program.inputs);
  require(inputs <= kMostOperands && program.results.size() == 1, "a program of {} operands and {} results", inputs,
          program.results.size());
  const Operands o(args, inputs, inputs);
  const auto kTypes = {DataType::i64, DataType::i32, DataType::u32, DataType::i16,
                       DataType::u16, DataType::i8,  DataType::u8,  DataType::boolean};
  for (size_t i = 0; i < inputs; ++i) o.in(i).is(kTypes).spreads_over(o.out().extents());
  o.out().is(kTypes);
}

void run_integers(const KernelArgs& args) {
  const PointwiseProgram& program = args.as<Decoded>().program;
  const TensorView& y = args.outputs[0];
  const size_t operands = args.inputs.size();
  constexpr size_t kAll = kMostOperands + 1;
  std::array<Strides, kAll> strides{};
  strides[0] = y.strides;
  for (size_t k = 0; k < operands; ++k) strides[k + 1] = broadcast_strides(args.inputs[k], y.extents());
  const Nest<kAll> nest = make_nest<kAll>(y.extents(), strides);
  const size_t in = nest.inner();
  for_rows(*args.pool, nest, kTile, 4096, [&](const std::array<int64_t, kAll>& at, int64_t n) {
    int64_t* rows = integer_rows(operands + program.code.size());
    for (size_t k = 0; k < operands; ++k)
      load_row(args.inputs[k], at[k + 1], nest.strides[k + 1][in], n, rows + static_cast<int64_t>(k) * kTile);
    store_row(y, at[0], nest.strides[0][in], run_program(program, rows, n), n);
  });
}

}  // namespace
}  // namespace integers

void register_pointwise_integers(KernelTable& table) {
  Kernel kernel;
  kernel.name = "pointwise.integers";
  kernel.decode = [](const Attrs& attrs) -> std::shared_ptr<const void> {
    return std::make_shared<const integers::Decoded>(
        integers::Decoded{PointwiseProgram::parse(attrs.get<std::string>("program"))});
  };
  kernel.check = integers::check_integers;
  kernel.run = integers::run_integers;
  table.add(std::move(kernel));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
