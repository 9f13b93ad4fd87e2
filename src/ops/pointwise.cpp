// Elementwise operators: one row each. A row states the expression once; the reference kernel, fused CPU
// code and every epilogue come from it.

#include <algorithm>
#include <functional>
#include <numeric>

#include "ops/op.h"

namespace planish::ops {
namespace {

using Reg = PwBuilder::Reg;
using Regs = std::span<const Reg>;
enum class Result { same, boolean, second };  // dtype: of operand 0, bool, of operand 1

template <PwOp op>
Reg unary_of(PwBuilder& b, const Attrs&, Regs x) {
  return b.unary(op, x[0]);
}
template <PwOp op>
Reg binary_of(PwBuilder& b, const Attrs&, Regs x) {
  return b.binary(op, x[0], x[1]);
}
template <PwOp op>
Reg variadic_of(PwBuilder& b, const Attrs&, Regs x) {
  Reg sum = x[0];
  for (size_t i = 1; i < x.size(); ++i) sum = b.binary(op, sum, x[i]);
  return sum;
}

double number(const Attrs& attrs, std::string_view name, double fallback) {
  return attrs.get_or<double>(name, fallback);
}
Reg relu(PwBuilder& b, Reg x) { return b.binary(PwOp::max, x, b.constant(0)); }
Reg clamp(PwBuilder& b, Reg x, double low, double high) {
  return b.binary(PwOp::min, b.binary(PwOp::max, x, b.constant(low)), b.constant(high));
}
Reg times(PwBuilder& b, Reg x, double factor) { return b.binary(PwOp::mul, x, b.constant(factor)); }
Reg plus(PwBuilder& b, Reg x, double term) { return b.binary(PwOp::add, x, b.constant(term)); }
// x where x > 0, else `otherwise`
Reg positive_or(PwBuilder& b, Reg x, Reg otherwise) {
  return b.select(b.binary(PwOp::greater, x, b.constant(0)), x, otherwise);
}
Reg exp_minus_one(PwBuilder& b, Reg x) { return plus(b, b.unary(PwOp::exp, x), -1); }

Reg pw_relu(PwBuilder& b, const Attrs&, Regs x) { return relu(b, x[0]); }
Reg pw_leaky_relu(PwBuilder& b, const Attrs& a, Regs x) {
  return positive_or(b, x[0], times(b, x[0], number(a, "alpha", 0.01)));
}
Reg pw_prelu(PwBuilder& b, const Attrs&, Regs x) { return positive_or(b, x[0], b.binary(PwOp::mul, x[0], x[1])); }
Reg pw_elu(PwBuilder& b, const Attrs& a, Regs x) {
  return positive_or(b, x[0], times(b, exp_minus_one(b, x[0]), number(a, "alpha", 1)));
}
Reg pw_selu(PwBuilder& b, const Attrs& a, Regs x) {
  const double alpha = number(a, "alpha", 1.67326319217681884765625),
               gamma = number(a, "gamma", 1.05070102214813232421875);
  return times(b, positive_or(b, x[0], times(b, exp_minus_one(b, x[0]), alpha)), gamma);
}
Reg pw_celu(PwBuilder& b, const Attrs& a, Regs x) {
  const double alpha = number(a, "alpha", 1);
  return positive_or(b, x[0], times(b, exp_minus_one(b, times(b, x[0], 1 / alpha)), alpha));
}
Reg pw_thresholded_relu(PwBuilder& b, const Attrs& a, Regs x) {
  return b.select(b.binary(PwOp::greater, x[0], b.constant(number(a, "alpha", 1))), x[0], b.constant(0));
}
// clamp(alpha * x + beta, 0, 1)
Reg pw_hard_sigmoid(PwBuilder& b, const Attrs& a, Regs x) {
  return clamp(b, plus(b, times(b, x[0], number(a, "alpha", 0.2)), number(a, "beta", 0.5)), 0, 1);
}
// x * clamp(x + 3, 0, 6) / 6
Reg pw_hard_swish(PwBuilder& b, const Attrs&, Regs x) {
  return times(b, b.binary(PwOp::mul, x[0], clamp(b, plus(b, x[0], 3), 0, 6)), 1.0 / 6);
}
Reg pw_softsign(PwBuilder& b, const Attrs&, Regs x) {
  return b.binary(PwOp::div, x[0], plus(b, b.unary(PwOp::abs, x[0]), 1));
}
Reg pw_silu(PwBuilder& b, const Attrs&, Regs x) { return b.binary(PwOp::mul, x[0], b.unary(PwOp::sigmoid, x[0])); }
Reg pw_mish(PwBuilder& b, const Attrs&, Regs x) {
  return b.binary(PwOp::mul, x[0], b.unary(PwOp::tanh, b.unary(PwOp::softplus, x[0])));
}
// none: x/2 * (1 + erf(x/sqrt 2)); tanh: x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))
Reg pw_gelu(PwBuilder& b, const Attrs& a, Regs x) {
  Reg inner;
  if (a.get_or<std::string>("approximate", "none") == "tanh") {
    const Reg cube = b.binary(PwOp::mul, b.binary(PwOp::mul, x[0], x[0]), x[0]);
    inner = b.unary(PwOp::tanh, times(b, b.binary(PwOp::add, x[0], times(b, cube, 0.044715)), 0.7978845608028654));
  } else {
    inner = b.unary(PwOp::erf, times(b, x[0], 0.7071067811865476));
  }
  return b.binary(PwOp::mul, times(b, x[0], 0.5), plus(b, inner, 1));
}
Reg pw_identity(PwBuilder&, const Attrs&, Regs x) { return x[0]; }
Reg pw_mean(PwBuilder& b, const Attrs& a, Regs x) {
  return times(b, variadic_of<PwOp::add>(b, a, x), 1.0 / static_cast<double>(x.size()));
}
Reg pw_mod(PwBuilder& b, const Attrs& a, Regs x) {
  return b.binary(a.get_or<int64_t>("fmod", 0) != 0 ? PwOp::fmod : PwOp::mod, x[0], x[1]);
}
Reg pw_where(PwBuilder& b, const Attrs&, Regs x) { return b.select(x[0], x[1], x[2]); }
Reg pw_is_inf(PwBuilder& b, const Attrs& a, Regs x) {
  const int64_t mask = a.get_or<int64_t>("detect_positive", 1) | (a.get_or<int64_t>("detect_negative", 1) << 1);
  return b.binary(PwOp::is_inf, x[0], b.constant(static_cast<double>(mask)));
}
Reg pw_bit_shift(PwBuilder& b, const Attrs& a, Regs x) {
  return b.binary(a.get<std::string>("direction") == "LEFT" ? PwOp::shift_left : PwOp::shift_right, x[0], x[1]);
}

// --- contents: shape arithmetic on known elements

using Fold = std::optional<Dim> (*)(std::span<const Dim>, const SymbolTable&);

// What is so is 1 and what is not is 0. Of integers, a <= b is min(1, b - a + 1) where that is not negative.
Dim less_equal(Dim a, Dim b, const SymbolTable& symbols) {
  const Dim difference = a - b;
  if (difference.upper_bound(symbols) <= 0) return 1;
  if (difference.lower_bound(symbols) > 0) return 0;
  return max(0, min(1, b - a + 1));
}

Dim equal(Dim a, Dim b, const SymbolTable& symbols) {
  const Dim difference = a - b;
  const int64_t low = difference.lower_bound(symbols), high = difference.upper_bound(symbols);
  if (low == 0 && high == 0) return 1;
  if (low > 0 || high < 0) return 0;
  return 1 - min(1, max(max(difference, b - a), 0));  // the 0 is for bounds, which see each side by itself
}

std::optional<Dim> fold_min(std::span<const Dim> x, const SymbolTable&) {
  return std::accumulate(x.begin() + 1, x.end(), x[0], [](Dim a, Dim b) { return min(a, b); });
}

std::optional<Dim> fold_max(std::span<const Dim> x, const SymbolTable&) {
  return std::accumulate(x.begin() + 1, x.end(), x[0], [](Dim a, Dim b) { return max(a, b); });
}

std::optional<Dim> fold_div(std::span<const Dim> x, const SymbolTable& symbols) {
  if (x[1] == Dim(0)) return std::nullopt;
  // Truncation equals floor where neither side is negative.
  if (x[0].lower_bound(symbols) < 0 || x[1].lower_bound(symbols) < 0) {
    if (!x[0].is_constant() || !x[1].is_constant()) return std::nullopt;
    if (x[0].value() == INT64_MIN && x[1].value() == -1) return std::nullopt;  // does not fit
    return Dim(x[0].value() / x[1].value());
  }
  return floor_div(x[0], x[1]);
}

// Both kinds of remainder agree where neither side is negative; what is constant is computed by the reference kernel.
std::optional<Dim> fold_mod(std::span<const Dim> x, const SymbolTable& symbols) {
  if (x[0].lower_bound(symbols) < 0 || x[1].lower_bound(symbols) <= 0) return std::nullopt;
  return mod(x[0], x[1]);
}

struct FoldRow {
  const char* op;
  Fold fold;
};
const FoldRow kFolds[] = {
    {"add", [](std::span<const Dim> x, const SymbolTable&) { return std::optional(x[0] + x[1]); }},
    {"sub", [](std::span<const Dim> x, const SymbolTable&) { return std::optional(x[0] - x[1]); }},
    {"mul", [](std::span<const Dim> x, const SymbolTable&) { return std::optional(x[0] * x[1]); }},
    {"div", fold_div},
    {"mod", fold_mod},
    {"min", fold_min},
    {"max", fold_max},
    {"neg", [](std::span<const Dim> x, const SymbolTable&) { return std::optional(Dim(0) - x[0]); }},
    {"identity", [](std::span<const Dim> x, const SymbolTable&) { return std::optional(x[0]); }},
    {"equal", [](std::span<const Dim> x, const SymbolTable& s) { return std::optional(equal(x[0], x[1], s)); }},
    {"less", [](std::span<const Dim> x, const SymbolTable& s) { return std::optional(less_equal(x[0] + 1, x[1], s)); }},
    {"less_equal",
     [](std::span<const Dim> x, const SymbolTable& s) { return std::optional(less_equal(x[0], x[1], s)); }},
    {"greater",
     [](std::span<const Dim> x, const SymbolTable& s) { return std::optional(less_equal(x[1] + 1, x[0], s)); }},
    {"greater_equal",
     [](std::span<const Dim> x, const SymbolTable& s) { return std::optional(less_equal(x[1], x[0], s)); }},
    {"where", [](std::span<const Dim> x, const SymbolTable&) { return std::optional(x[2] + x[0] * (x[1] - x[2])); }},
    {"not", [](std::span<const Dim> x, const SymbolTable&) { return std::optional(1 - x[0]); }},
    {"and", [](std::span<const Dim> x, const SymbolTable&) { return std::optional(min(x[0], x[1])); }},
    {"or", [](std::span<const Dim> x, const SymbolTable&) { return std::optional(max(x[0], x[1])); }},
};

// Nothing where the result does not fit into 64 bits: the reference kernel says what it wraps to.
std::optional<Dim> fold_element(const FoldRow& row, std::span<const Dim> operands, const InferContext& context) {
  try {
    const auto result = row.fold(operands, context.symbols());
    return result && holds(context.outputs()[0].dtype, *result, context.symbols()) ? result : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

// Operands have one element, which repeats, or as many as the result: the same ones in the same order.
void fold_contents(InferContext& context, const Shape& shape) {
  if (!shape.is_static()) return;
  std::vector<std::vector<Dim>> operands;
  size_t length = 1;
  for (size_t i = 0; i < context.input_count(); ++i) {
    auto known = context.contents(i);
    if (!known || known->empty()) return;
    length = std::max(length, known->size());
    operands.push_back(std::move(*known));
  }
  if (Dim(static_cast<int64_t>(length)) != shape.element_count()) return;
  for (const auto& operand : operands)
    if (operand.size() != 1 && operand.size() != length) return;
  for (const FoldRow& row : kFolds) {
    if (context.node().op.str() != row.op) continue;
    std::vector<Dim> results;
    for (size_t i = 0; i < length; ++i) {
      std::vector<Dim> elements;
      for (const auto& operand : operands) elements.push_back(operand[operand.size() == 1 ? 0 : i]);
      const auto result = fold_element(row, elements, context);
      if (!result) return;
      results.push_back(*result);
    }
    context.output_contents(0, std::move(results));
  }
}

struct AlphaAttrs {
  double alpha = 0, beta = 0, gamma = 0, bias = 0, lambd = 0;
  int64_t fmod = 0, detect_positive = 1, detect_negative = 1;
  std::string approximate = "none", direction;
  template <class V>
  void fields(V& v) {
    v("alpha", alpha);
    v("beta", beta);
    v("gamma", gamma);
    v("bias", bias);
    v("lambd", lambd);
    v("fmod", fmod);
    v("detect_positive", detect_positive);
    v("detect_negative", detect_negative);
    v("approximate", approximate);
    v("direction", direction);
  }
};

struct Row {
  const char* name;
  int operands;      // -1: one or more
  unsigned accepts;  // TypeKinds
  PointwiseFn expression;
  Result result = Result::same;
  bool commutative = false;
};

const Row kRows[] = {
    {"neg", 1, kNumbers, unary_of<PwOp::neg>},
    {"abs", 1, kNumbers, unary_of<PwOp::abs>},
    {"exp", 1, kFloats, unary_of<PwOp::exp>},
    {"log", 1, kFloats, unary_of<PwOp::log>},
    {"sqrt", 1, kFloats, unary_of<PwOp::sqrt>},
    {"reciprocal", 1, kFloats, unary_of<PwOp::reciprocal>},
    {"sin", 1, kFloats, unary_of<PwOp::sin>},
    {"cos", 1, kFloats, unary_of<PwOp::cos>},
    {"tan", 1, kFloats, unary_of<PwOp::tan>},
    {"asin", 1, kFloats, unary_of<PwOp::asin>},
    {"acos", 1, kFloats, unary_of<PwOp::acos>},
    {"atan", 1, kFloats, unary_of<PwOp::atan>},
    {"sinh", 1, kFloats, unary_of<PwOp::sinh>},
    {"cosh", 1, kFloats, unary_of<PwOp::cosh>},
    {"tanh", 1, kFloats, unary_of<PwOp::tanh>},
    {"asinh", 1, kFloats, unary_of<PwOp::asinh>},
    {"acosh", 1, kFloats, unary_of<PwOp::acosh>},
    {"atanh", 1, kFloats, unary_of<PwOp::atanh>},
    {"erf", 1, kNumbers, unary_of<PwOp::erf>},
    {"sigmoid", 1, kFloats, unary_of<PwOp::sigmoid>},
    {"floor", 1, kFloats, unary_of<PwOp::floor>},
    {"ceil", 1, kFloats, unary_of<PwOp::ceil>},
    {"round", 1, kFloats, unary_of<PwOp::round>},
    {"sign", 1, kNumbers, unary_of<PwOp::sign>},
    {"softplus", 1, kFloats, unary_of<PwOp::softplus>},
    {"bitwise_not", 1, kIntegers, unary_of<PwOp::bit_not>},
    {"not", 1, kBooleans, unary_of<PwOp::logical_not>, Result::boolean},
    {"is_nan", 1, kFloats, unary_of<PwOp::is_nan>, Result::boolean},
    {"is_inf", 1, kFloats, pw_is_inf, Result::boolean},
    {"identity", 1, kAnyType, pw_identity},
    {"relu", 1, kNumbers, pw_relu},
    {"leaky_relu", 1, kFloats, pw_leaky_relu},
    {"prelu", 2, kNumbers, pw_prelu},
    {"elu", 1, kFloats, pw_elu},
    {"selu", 1, kFloats, pw_selu},
    {"celu", 1, kFloats, pw_celu},
    {"thresholded_relu", 1, kFloats, pw_thresholded_relu},
    {"hard_sigmoid", 1, kFloats, pw_hard_sigmoid},
    {"hard_swish", 1, kFloats, pw_hard_swish},
    {"softsign", 1, kFloats, pw_softsign},
    {"silu", 1, kFloats, pw_silu},
    {"mish", 1, kFloats, pw_mish},
    {"gelu", 1, kFloats, pw_gelu},
    {"add", 2, kNumbers, binary_of<PwOp::add>, Result::same, true},
    {"sub", 2, kNumbers, binary_of<PwOp::sub>},
    {"mul", 2, kNumbers, binary_of<PwOp::mul>, Result::same, true},
    {"div", 2, kNumbers, binary_of<PwOp::div>},
    {"pow", 2, kNumbers, binary_of<PwOp::pow>},
    {"mod", 2, kNumbers, pw_mod},
    {"equal", 2, kComputed, binary_of<PwOp::equal>, Result::boolean, true},
    {"less", 2, kNumbers, binary_of<PwOp::less>, Result::boolean},
    {"less_equal", 2, kNumbers, binary_of<PwOp::less_equal>, Result::boolean},
    {"greater", 2, kNumbers, binary_of<PwOp::greater>, Result::boolean},
    {"greater_equal", 2, kNumbers, binary_of<PwOp::greater_equal>, Result::boolean},
    {"and", 2, kBooleans, binary_of<PwOp::logical_and>, Result::boolean, true},
    {"or", 2, kBooleans, binary_of<PwOp::logical_or>, Result::boolean, true},
    {"xor", 2, kBooleans, binary_of<PwOp::logical_xor>, Result::boolean, true},
    {"bitwise_and", 2, kIntegers, binary_of<PwOp::bit_and>, Result::same, true},
    {"bitwise_or", 2, kIntegers, binary_of<PwOp::bit_or>, Result::same, true},
    {"bitwise_xor", 2, kIntegers, binary_of<PwOp::bit_xor>, Result::same, true},
    {"bit_shift", 2, kIntegers, pw_bit_shift},
    {"min", -1, kNumbers, variadic_of<PwOp::min>, Result::same, true},
    {"max", -1, kNumbers, variadic_of<PwOp::max>, Result::same, true},
    {"sum", -1, kFloats, variadic_of<PwOp::add>, Result::same, true},
    {"mean", -1, kFloats, pw_mean, Result::same, true},
    {"where", 3, kComputed, pw_where, Result::second},
};

const Row& row_of(const Node& node) {
  return *std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& row) { return node.op.str() == row.name; });
}

void check_meaning(const InferContext& context) {
  const auto attrs = context.attrs<AlphaAttrs>();
  context.require_flag("fmod", attrs.fmod);
  context.require_flag("detect_positive", attrs.detect_positive);
  context.require_flag("detect_negative", attrs.detect_negative);
  if (context.node().op == "gelu") context.require_choice("approximate", attrs.approximate, {"none", "tanh"});
  if (context.node().op == "bit_shift") context.require_choice("direction", attrs.direction, {"LEFT", "RIGHT"});
  if (context.node().op == "mod" && attrs.fmod == 0 && is_float(context.dtype(0)))
    fail(Code::invalid_model, "operands are {}; with fmod=0 integers are accepted", context.input(0).str());
}

// A base to the power of an exponent of perhaps another type; `where` has a condition in front.
void infer_pointwise(InferContext& context) {
  const Row& row = row_of(context.node());
  check_meaning(context);
  const size_t first = row.result == Result::second ? 1 : 0;
  if (first > 0) context.require_dtype(0, kBooleans);
  Shape shape = context.shape(0);
  for (size_t i = first; i < context.input_count(); ++i) {
    shape = context.broadcast(shape, context.shape(i));
    context.require_dtype(i, row.accepts);
    if (context.node().op != "pow") context.require_same_dtype(first, i);
  }
  context.output(0, row.result == Result::boolean ? DataType::boolean : context.dtype(first), shape);
  fold_contents(context, shape);
}

}  // namespace

void register_pointwise(OpTable& table) {
  for (const Row& row : kRows) {
    OpDef def;
    def.name = row.name;
    def.min_inputs = row.operands < 0 ? 1 : row.operands;
    def.max_inputs = row.operands;
    def.check_attrs = check_attrs_as<AlphaAttrs>;
    def.infer = infer_pointwise;
    def.pointwise = row.expression;
    def.commutative = row.commutative;
    def.kernel = "pointwise";
    table.add(std::move(def));
  }
}

}  // namespace planish::ops
