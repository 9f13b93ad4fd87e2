// Elementwise programs, tile by tile.

#include <algorithm>
#include <cmath>

#include "kernels/cpu/common/math.h"
#include "kernels/cpu/common/tile.h"
#include "kernels/kernel.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

using Row = float* __restrict__;
using In = const float* __restrict__;

template <class F>
inline void map1(In a, Row out, int64_t n, F f) {
  for (int64_t i = 0; i < n; ++i) out[i] = f(a[i]);
}
template <class F>
inline void map2(In a, In b, Row out, int64_t n, F f) {
  for (int64_t i = 0; i < n; ++i) out[i] = f(a[i], b[i]);
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

void run_unary(PwOp op, In a, Row out, int64_t n) {
  switch (op) {
    case PwOp::neg: return map1(a, out, n, [](float x) { return -x; });
    case PwOp::abs: return map1(a, out, n, [](float x) { return std::abs(x); });
    case PwOp::exp: return map1(a, out, n, exp_exact_range);
    case PwOp::log: return map1(a, out, n, [](float x) { return std::log(x); });
    case PwOp::sqrt: return map1(a, out, n, [](float x) { return std::sqrt(x); });
    case PwOp::rsqrt: return map1(a, out, n, [](float x) { return 1.f / std::sqrt(x); });
    case PwOp::reciprocal: return map1(a, out, n, [](float x) { return 1.f / x; });
    case PwOp::sin: return map1(a, out, n, [](float x) { return std::sin(x); });
    case PwOp::cos: return map1(a, out, n, [](float x) { return std::cos(x); });
    case PwOp::tan: return map1(a, out, n, [](float x) { return std::tan(x); });
    case PwOp::asin: return map1(a, out, n, [](float x) { return std::asin(x); });
    case PwOp::acos: return map1(a, out, n, [](float x) { return std::acos(x); });
    case PwOp::atan: return map1(a, out, n, [](float x) { return std::atan(x); });
    case PwOp::sinh: return map1(a, out, n, [](float x) { return std::sinh(x); });
    case PwOp::cosh: return map1(a, out, n, [](float x) { return std::cosh(x); });
    case PwOp::tanh: return map1(a, out, n, tanh_value);
    case PwOp::asinh: return map1(a, out, n, [](float x) { return std::asinh(x); });
    case PwOp::acosh: return map1(a, out, n, [](float x) { return std::acosh(x); });
    case PwOp::atanh: return map1(a, out, n, [](float x) { return std::atanh(x); });
    case PwOp::erf: return map1(a, out, n, erf_value);
    case PwOp::sigmoid: return map1(a, out, n, sigmoid_value);
    case PwOp::floor: return map1(a, out, n, [](float x) { return std::floor(x); });
    case PwOp::ceil: return map1(a, out, n, [](float x) { return std::ceil(x); });
    case PwOp::round: return map1(a, out, n, [](float x) { return std::nearbyint(x); });
    case PwOp::trunc: return map1(a, out, n, [](float x) { return std::trunc(x); });
    case PwOp::sign: return map1(a, out, n, [](float x) { return x > 0 ? 1.f : x < 0 ? -1.f : x; });
    case PwOp::logical_not: return map1(a, out, n, [](float x) { return x == 0 ? 1.f : 0.f; });
    case PwOp::is_nan: return map1(a, out, n, [](float x) { return x != x ? 1.f : 0.f; });
    case PwOp::softplus: return map1(a, out, n, [](float x) { return std::max(x, 0.f) + std::log1p(exp_value(-std::abs(x))); });
    default: fail(Code::unsupported, "{} of fp32 elements", pw_name(op));
  }
}

void run_binary(PwOp op, In a, In b, Row out, int64_t n) {
  switch (op) {
    case PwOp::add: return map2(a, b, out, n, [](float x, float y) { return x + y; });
    case PwOp::sub: return map2(a, b, out, n, [](float x, float y) { return x - y; });
    case PwOp::mul: return map2(a, b, out, n, [](float x, float y) { return x * y; });
    case PwOp::div: return map2(a, b, out, n, [](float x, float y) { return x / y; });
    case PwOp::pow: return map2(a, b, out, n, [](float x, float y) { return std::pow(x, y); });
    case PwOp::min: return map2(a, b, out, n, nan_min);
    case PwOp::max: return map2(a, b, out, n, nan_max);
    case PwOp::mod: return map2(a, b, out, n, floor_mod);
    case PwOp::fmod: return map2(a, b, out, n, [](float x, float y) { return std::fmod(x, y); });
    case PwOp::equal: return map2(a, b, out, n, [](float x, float y) { return x == y ? 1.f : 0.f; });
    case PwOp::less: return map2(a, b, out, n, [](float x, float y) { return x < y ? 1.f : 0.f; });
    case PwOp::less_equal: return map2(a, b, out, n, [](float x, float y) { return x <= y ? 1.f : 0.f; });
    case PwOp::greater: return map2(a, b, out, n, [](float x, float y) { return x > y ? 1.f : 0.f; });
    case PwOp::greater_equal: return map2(a, b, out, n, [](float x, float y) { return x >= y ? 1.f : 0.f; });
    case PwOp::logical_and: return map2(a, b, out, n, [](float x, float y) { return x != 0 && y != 0 ? 1.f : 0.f; });
    case PwOp::logical_or: return map2(a, b, out, n, [](float x, float y) { return x != 0 || y != 0 ? 1.f : 0.f; });
    case PwOp::logical_xor: return map2(a, b, out, n, [](float x, float y) { return (x != 0) != (y != 0) ? 1.f : 0.f; });
    case PwOp::is_inf: return map2(a, b, out, n, detects_inf);
    default: fail(Code::unsupported, "{} of fp32 elements", pw_name(op));
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

const float* gather_operand(const TileOperand& operand, int64_t n, float* row) {
  if (operand.step == 1) return operand.data;
  if (operand.step == 0) std::fill_n(row, n, *operand.data);
  else for (int64_t i = 0; i < n; ++i) row[i] = operand.data[i * operand.step];
  return row;
}

struct Decoded {
  PointwiseProgram program;
};

// Axes of the result merged where every operand steps through them evenly.
struct Loop {
  int rank = 0;
  std::array<int64_t, kMaxRank> dims{};
  std::vector<std::array<int64_t, kMaxRank>> strides;  // operands, then the result
};

Loop make_loop(const KernelArgs& args) {
  const TensorView& y = args.outputs[0];
  std::vector<std::array<int64_t, kMaxRank>> all;
  for (const TensorView& input : args.inputs) all.push_back(broadcast_strides(input, y.extents()));
  all.push_back(y.strides);
  std::vector<size_t> order;  // slowest first, by the result's strides
  for (size_t i = 0; i < static_cast<size_t>(y.rank); ++i)
    if (y.dims[i] != 1) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return y.strides[a] > y.strides[b]; });
  Loop loop;
  loop.strides.resize(all.size());
  for (size_t axis : order) {
    bool merge = loop.rank > 0;
    for (size_t k = 0; k < all.size() && merge; ++k)
      merge = loop.strides[k][static_cast<size_t>(loop.rank - 1)] == all[k][axis] * y.dims[axis];
    const auto at = static_cast<size_t>(merge ? loop.rank - 1 : loop.rank++);
    loop.dims[at] = merge ? loop.dims[at] * y.dims[axis] : y.dims[axis];
    for (size_t k = 0; k < all.size(); ++k) loop.strides[k][at] = all[k][axis];
  }
  if (loop.rank == 0) {
    loop.rank = 1;
    loop.dims[0] = 1;
  }
  return loop;
}

void run_pointwise(const KernelArgs& args) {
  const PointwiseProgram& program = args.as<Decoded>().program;
  const TensorView& y = args.outputs[0];
  if (y.element_count() == 0) return;
  const Loop loop = make_loop(args);
  const auto inner = static_cast<size_t>(loop.rank - 1);
  const int64_t length = loop.dims[inner], tiles = (length + kTile - 1) / kTile;
  int64_t outer = 1;
  for (size_t i = 0; i < inner; ++i) outer *= loop.dims[i];
  const size_t operands = args.inputs.size();
  const int64_t y_step = loop.strides[operands][inner];
  args.pool->parallel_for(outer * tiles, std::max<int64_t>(1, 4096 / std::min(length, kTile)), [&](int64_t begin, int64_t end) {
    TileOperand row[64];
    float strided[kTile];
    for (int64_t task = begin; task < end; ++task) {
      const int64_t start = task % tiles * kTile, n = std::min(kTile, length - start);
      int64_t rest = task / tiles, y_offset = start * y_step;
      std::array<int64_t, kMaxRank> index{};
      for (size_t i = inner; i-- > 0;) {
        index[i] = rest % loop.dims[i];
        rest /= loop.dims[i];
        y_offset += index[i] * loop.strides[operands][i];
      }
      for (size_t k = 0; k < operands; ++k) {
        int64_t offset = start * loop.strides[k][inner];
        for (size_t i = 0; i < inner; ++i) offset += index[i] * loop.strides[k][i];
        row[k] = {args.inputs[k].as<const float>() + offset, loop.strides[k][inner]};
      }
      float* out = y.as<float>() + y_offset;
      run_tile(program, row, n, y_step == 1 ? out : strided);
      if (y_step != 1)
        for (int64_t i = 0; i < n; ++i) out[i * y_step] = strided[i];
    }
  });
}

}  // namespace

void run_tile(const PointwiseProgram& program, const TileOperand* operands, int64_t n, float* out) {
  const auto inputs = static_cast<size_t>(program.inputs);
  float* rows = scratch_rows(inputs + program.code.size());
  const float* registers[4096 + 256];
  for (size_t i = 0; i < inputs; ++i) registers[i] = gather_operand(operands[i], n, rows + i * kTile);
  for (size_t k = 0; k < program.code.size(); ++k) {
    const PwInstr& instruction = program.code[k];
    float* row = rows + (inputs + k) * kTile;
    registers[inputs + k] = row;
    switch (pw_arity(instruction.op)) {
      case 0: std::fill_n(row, n, static_cast<float>(instruction.immediate)); break;
      case 1: run_unary(instruction.op, registers[instruction.a], row, n); break;
      case 2: run_binary(instruction.op, registers[instruction.a], registers[instruction.b], row, n); break;
      default: {
        In c = registers[instruction.a], x = registers[instruction.b], z = registers[instruction.c];
        for (int64_t i = 0; i < n; ++i) row[i] = c[i] != 0 ? x[i] : z[i];
      }
    }
  }
  const float* result = registers[program.results[0]];
  if (result != out) std::copy_n(result, n, out);
}

void register_pointwise(KernelTable& table) {
  Kernel kernel;
  kernel.name = "pointwise";
  kernel.decode = [](const Attrs& attrs) -> std::shared_ptr<const void> {
    return std::make_shared<const Decoded>(Decoded{PointwiseProgram::parse(attrs.get<std::string>("program"))});
  };
  kernel.run = run_pointwise;
  table.add(std::move(kernel));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
