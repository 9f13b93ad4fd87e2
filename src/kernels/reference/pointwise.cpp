// Interprets a pointwise program element by element: in double where a float takes part, else in int64.

#include "kernels/reference/pointwise.h"

#include <cmath>

#include "kernels/check.h"
#include "kernels/pointwise.h"

namespace planish::kernels::reference {
namespace {

double pw_sign(double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x; }
double pw_softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }
double pw_min(double a, double b) { return std::isnan(a) || std::isnan(b) ? NAN : std::min(a, b); }
double pw_max(double a, double b) { return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b); }
double pw_mod(double a, double b) {
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
bool pw_is_inf(double a, double which) {
  const int mask = static_cast<int>(which);
  return std::isinf(a) && ((a > 0 && (mask & 1) != 0) || (a < 0 && (mask & 2) != 0));
}

double apply(PwOp op, double a, double b, double c) {
  switch (op) {
    case PwOp::constant:
      return 0;
    case PwOp::neg:
      return -a;
    case PwOp::abs:
      return std::abs(a);
    case PwOp::exp:
      return std::exp(a);
    case PwOp::log:
      return std::log(a);
    case PwOp::sqrt:
      return std::sqrt(a);
    case PwOp::rsqrt:
      return 1 / std::sqrt(a);
    case PwOp::reciprocal:
      return 1 / a;
    case PwOp::sin:
      return std::sin(a);
    case PwOp::cos:
      return std::cos(a);
    case PwOp::tan:
      return std::tan(a);
    case PwOp::asin:
      return std::asin(a);
    case PwOp::acos:
      return std::acos(a);
    case PwOp::atan:
      return std::atan(a);
    case PwOp::sinh:
      return std::sinh(a);
    case PwOp::cosh:
      return std::cosh(a);
    case PwOp::tanh:
      return std::tanh(a);
    case PwOp::asinh:
      return std::asinh(a);
    case PwOp::acosh:
      return std::acosh(a);
    case PwOp::atanh:
      return std::atanh(a);
    case PwOp::erf:
      return std::erf(a);
    case PwOp::sigmoid:
      return 1 / (1 + std::exp(-a));
    case PwOp::floor:
      return std::floor(a);
    case PwOp::ceil:
      return std::ceil(a);
    case PwOp::round:
      return std::nearbyint(a);
    case PwOp::trunc:
      return std::trunc(a);
    case PwOp::sign:
      return pw_sign(a);
    case PwOp::logical_not:
      return a == 0;
    case PwOp::is_nan:
      return std::isnan(a);
    case PwOp::softplus:
      return pw_softplus(a);
    case PwOp::add:
      return a + b;
    case PwOp::sub:
      return a - b;
    case PwOp::mul:
      return a * b;
    case PwOp::div:
      return a / b;
    case PwOp::pow:
      return std::pow(a, b);
    case PwOp::min:
      return pw_min(a, b);
    case PwOp::max:
      return pw_max(a, b);
    case PwOp::mod:
      return pw_mod(a, b);
    case PwOp::fmod:
      return std::fmod(a, b);
    case PwOp::equal:
      return a == b;
    case PwOp::less:
      return a < b;
    case PwOp::less_equal:
      return a <= b;
    case PwOp::greater:
      return a > b;
    case PwOp::greater_equal:
      return a >= b;
    case PwOp::logical_and:
      return a != 0 && b != 0;
    case PwOp::logical_or:
      return a != 0 || b != 0;
    case PwOp::logical_xor:
      return (a != 0) != (b != 0);
    case PwOp::is_inf:
      return pw_is_inf(a, b);
    case PwOp::select:
      return a != 0 ? b : c;
    default:
      fail(Code::unsupported, "{} of floating-point elements", pw_name(op));
  }
}

int64_t int_divide(int64_t a, int64_t b) {
  if (b == 0) fail(Code::invalid_argument, "an integer division by zero");
  return b == -1 ? static_cast<int64_t>(0 - static_cast<uint64_t>(a)) : a / b;
}
int64_t int_remainder(int64_t a, int64_t b) {
  if (b == 0) fail(Code::invalid_argument, "an integer division by zero");
  return b == -1 ? 0 : a % b;
}
int64_t int_mod(int64_t a, int64_t b) {
  const int64_t rest = int_remainder(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
int64_t wrap(uint64_t value) { return static_cast<int64_t>(value); }
int64_t int_shift(int64_t a, int64_t b, bool left) {
  if (b < 0 || b > 63) return 0;
  const auto bits = static_cast<uint64_t>(a);
  return wrap(left ? bits << b : bits >> b);
}
int64_t int_pow(int64_t a, int64_t b) {
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
  uint64_t result = 1, base = static_cast<uint64_t>(a);
  for (; b > 0; b >>= 1, base *= base)
    if ((b & 1) != 0) result *= base;
  return wrap(result);
}

int64_t apply_int(PwOp op, int64_t a, int64_t b, int64_t c) {
  const auto ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
  switch (op) {
    case PwOp::constant:
      return 0;
    case PwOp::neg:
      return wrap(0 - ua);
    case PwOp::abs:
      return a < 0 ? wrap(0 - ua) : a;
    case PwOp::floor:
    case PwOp::ceil:
    case PwOp::round:
    case PwOp::trunc:
      return a;
    case PwOp::sign:
      return a > 0 ? 1 : a < 0 ? -1 : 0;
    case PwOp::logical_not:
      return a == 0;
    case PwOp::bit_not:
      return ~a;
    case PwOp::is_nan:
    case PwOp::is_inf:
      return 0;
    case PwOp::add:
      return wrap(ua + ub);
    case PwOp::sub:
      return wrap(ua - ub);
    case PwOp::mul:
      return wrap(ua * ub);
    case PwOp::div:
      return int_divide(a, b);
    case PwOp::pow:
      return int_pow(a, b);
    case PwOp::min:
      return std::min(a, b);
    case PwOp::max:
      return std::max(a, b);
    case PwOp::mod:
      return int_mod(a, b);
    case PwOp::fmod:
      return int_remainder(a, b);
    case PwOp::equal:
      return a == b;
    case PwOp::less:
      return a < b;
    case PwOp::less_equal:
      return a <= b;
    case PwOp::greater:
      return a > b;
    case PwOp::greater_equal:
      return a >= b;
    case PwOp::logical_and:
      return a != 0 && b != 0;
    case PwOp::logical_or:
      return a != 0 || b != 0;
    case PwOp::logical_xor:
      return (a != 0) != (b != 0);
    case PwOp::bit_and:
      return a & b;
    case PwOp::bit_or:
      return a | b;
    case PwOp::bit_xor:
      return a ^ b;
    case PwOp::shift_left:
      return int_shift(a, b, true);
    case PwOp::shift_right:
      return int_shift(a, b, false);
    case PwOp::select:
      return a != 0 ? b : c;
    default:
      fail(Code::unsupported, "{} of integer elements", pw_name(op));
  }
}

template <class T>
struct Interpreter {
  const PointwiseProgram& program;
  std::vector<T> registers;
  explicit Interpreter(const PointwiseProgram& p)
      : program(p), registers(static_cast<size_t>(p.inputs) + p.code.size()) {}

  void run() {
    size_t at = static_cast<size_t>(program.inputs);
    for (const PwInstr& i : program.code) {
      if constexpr (std::is_same_v<T, double>)
        registers[at++] =
            i.op == PwOp::constant ? i.immediate : apply(i.op, registers[i.a], registers[i.b], registers[i.c]);
      else
        registers[at++] = i.op == PwOp::constant ? pw_integer(i.immediate)
                                                 : apply_int(i.op, registers[i.a], registers[i.b], registers[i.c]);
    }
  }
};

struct Decoded {
  PointwiseProgram program;
};

template <class T>
void run_range(const KernelArgs& args, const PointwiseProgram& program, int64_t begin, int64_t end) {
  const TensorView& shape = args.outputs[0];
  Interpreter<T> interpreter(program);
  std::vector<std::array<int64_t, kMaxRank>> strides;
  for (const TensorView& input : args.inputs) strides.push_back(broadcast_strides(input, shape.extents()));
  for (int64_t flat = begin; flat < end; ++flat) {
    std::array<int64_t, kMaxRank> index{};
    int64_t rest = flat;
    for (auto axis = static_cast<size_t>(shape.rank); axis-- > 0;) {
      index[axis] = rest % shape.dims[axis];
      rest /= shape.dims[axis];
    }
    const auto offset = [&](const auto& steps) {
      int64_t sum = 0;
      for (size_t axis = 0; axis < static_cast<size_t>(shape.rank); ++axis) sum += index[axis] * steps[axis];
      return sum;
    };
    for (size_t k = 0; k < args.inputs.size(); ++k) {
      const int64_t at = offset(strides[k]);
      if constexpr (std::is_same_v<T, double>)
        interpreter.registers[k] = load_double(args.inputs[k], at);
      else
        interpreter.registers[k] = load_int(args.inputs[k], at);
    }
    interpreter.run();
    for (size_t k = 0; k < args.outputs.size(); ++k) {
      const T value = interpreter.registers[program.results[k]];
      if constexpr (std::is_same_v<T, double>)
        store_double(args.outputs[k], offset(args.outputs[k].strides), value);
      else
        store_int(args.outputs[k], offset(args.outputs[k].strides), value);
    }
  }
}

// As many operands and results as the program has; operands spread over the results, which are all of one shape.
void check_pointwise(const KernelArgs& args) {
  const PointwiseProgram& program = args.as<Decoded>().program;
  const auto inputs = static_cast<size_t>(program.inputs), results = program.results.size();
  const Operands o(args, inputs, inputs, results, results);
  for (size_t i = 0; i < inputs; ++i) o.in(i).spreads_over(o.out().extents());
  for (size_t i = 0; i < results; ++i) o.out(i).shape(o.out().extents());
}

void run_pointwise(const KernelArgs& args) {
  const PointwiseProgram& program = args.as<Decoded>().program;
  bool floats = false;
  for (const TensorView& view : args.inputs) floats = floats || is_float(view.dtype);
  for (const TensorView& view : args.outputs) floats = floats || is_float(view.dtype);
  args.pool->parallel_for(args.outputs[0].element_count(), 4096, [&](int64_t begin, int64_t end) {
    floats ? run_range<double>(args, program, begin, end) : run_range<int64_t>(args, program, begin, end);
  });
}

}  // namespace

void register_pointwise(KernelTable& table) {
  Kernel kernel;
  kernel.name = "pointwise";
  kernel.decode = [](const Attrs& attrs) -> std::shared_ptr<const void> {
    return std::make_shared<const Decoded>(Decoded{PointwiseProgram::parse(attrs_to<PointwiseAttrs>(attrs).program)});
  };
  kernel.check = check_pointwise;
  kernel.run = run_pointwise;
  table.add(std::move(kernel));
}

}  // namespace planish::kernels::reference
