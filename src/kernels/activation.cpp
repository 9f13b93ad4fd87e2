// Each register of the program is looked at as a form of input 0; what no rule makes is `other`.

#include "kernels/activation.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace planish {
namespace {

// Parts of gelu: square x^2, cubic scale x + cube x^3, erf(scale x), tanh(cubic), and 1 + these times factor.
enum class Form : uint8_t {
  other,
  constant,
  addend,
  ramp,
  gate,
  sigmoid,
  silu,
  positive,
  leaky,
  square,
  cubic,
  erf,
  tanh,
  raised_erf,
  raised_tanh,
  gelu,
  sum
};

struct Known {
  Form form = Form::other;
  Activation as;    // of activations
  float value = 0;  // of a constant
};

bool is_line(const Known& k) {
  return k.form == Form::ramp && k.as.low == -INFINITY && k.as.high == INFINITY && k.as.factor == 1;
}
bool is_multiple(const Known& k) { return is_line(k) && k.as.shift == 0; }
bool is_sum_itself(const Known& k) { return is_multiple(k) && k.as.scale == 1; }

Known with(Form form, Activation::Kind kind, Activation as = {}) {
  as.kind = kind;
  return {form, as, 0};
}

Known scaled(Known k, float by) {
  if (is_line(k)) {
    k.as.scale *= by;
    k.as.shift *= by;
    return k;
  }
  switch (k.form) {
    case Form::cubic:
      k.as.scale *= by;
      k.as.cube *= by;
      return k;
    case Form::ramp:
    case Form::gate:
    case Form::raised_erf:
    case Form::raised_tanh:
    case Form::gelu:
      k.as.factor *= by;
      return k;
    default:
      return {};
  }
}

Known cubic(float scale, float cube) {
  Known k{Form::cubic, {}, 0};
  k.as.scale = scale;
  k.as.cube = cube;
  return k;
}

// A multiple of x times a raised form.
Known gelu(const Known& multiple, const Known& raised) {
  Known k = with(Form::gelu, raised.form == Form::raised_erf ? Activation::Kind::gelu : Activation::Kind::tanh_gelu,
                 raised.as);
  k.as.factor *= multiple.as.scale;
  return k;
}

Known product(const Known& a, const Known& b) {
  if (b.form == Form::constant) return scaled(a, b.value);
  if (is_multiple(a) && (b.form == Form::raised_erf || b.form == Form::raised_tanh)) return gelu(a, b);
  if (!is_sum_itself(a)) return {};
  if (is_sum_itself(b)) return {Form::square, {}, 0};
  if (b.form == Form::square) return cubic(0, 1);
  if (b.form == Form::sigmoid) return with(Form::silu, Activation::Kind::silu);
  if (b.form == Form::ramp && !is_line(b)) return with(Form::gate, Activation::Kind::gate, b.as);
  return {};
}

Known total(Known a, const Known& b) {
  if (b.form == Form::constant && is_line(a)) {
    a.as.shift += b.value;
    return a;
  }
  if (b.form == Form::constant && b.value == 1 && (a.form == Form::erf || a.form == Form::tanh)) {
    a.form = a.form == Form::erf ? Form::raised_erf : Form::raised_tanh;
    return a;
  }
  if (is_multiple(a) && b.form == Form::cubic) return cubic(a.as.scale + b.as.scale, b.as.cube);
  const bool is_activation = a.as.present() && a.form != Form::sum && !is_sum_itself(a);
  if (b.form != Form::addend || !is_activation) return {};
  a.as.adds = true;
  a.form = Form::sum;
  return a;
}

Known bounded(Known a, const Known& bound, bool below) {
  if (a.form != Form::ramp || bound.form != Form::constant || a.as.factor != 1) return {};
  if (below ? a.as.high < INFINITY : bound.value < a.as.low) return {};
  if (std::isnan(bound.value)) return {};
  (below ? a.as.low : a.as.high) = below ? std::max(a.as.low, bound.value) : std::min(a.as.high, bound.value);
  return a;
}

Known binary(PwOp op, const Known& a, const Known& b) {
  switch (op) {
    case PwOp::mul:
      return product(a, b);
    case PwOp::add:
      return total(a, b);
    case PwOp::max:
      return bounded(a, b, true);
    case PwOp::min:
      return bounded(a, b, false);
    default:
      return {};
  }
}

Known chosen(const Known& condition, const Known& then, const Known& otherwise) {
  if (condition.form != Form::positive || !is_sum_itself(then) || !is_line(otherwise) || otherwise.as.shift != 0)
    return {};
  Known leaky = with(Form::leaky, Activation::Kind::leaky);
  leaky.as.slope = otherwise.as.scale;
  return leaky;
}

// The argument's scale and cube stay; it is no activation yet.
Known function(Form form, Known k) {
  k.form = form;
  k.as.kind = Activation::Kind::none;
  return k;
}

Known result_of(const PwInstr& i, const std::vector<Known>& known) {
  if (i.op == PwOp::constant) return {Form::constant, {}, static_cast<float>(i.immediate)};
  const Known& a = known[i.a];
  if (i.op == PwOp::sigmoid && is_sum_itself(a)) return with(Form::sigmoid, Activation::Kind::sigmoid);
  if (i.op == PwOp::erf && is_multiple(a)) return function(Form::erf, a);
  if (i.op == PwOp::tanh && a.form == Form::cubic) return function(Form::tanh, a);
  if (i.op == PwOp::select) return chosen(a, known[i.b], known[i.c]);
  if (pw_arity(i.op) != 2) return {};
  const Known& b = known[i.b];
  if (i.op == PwOp::greater && is_sum_itself(a) && b.form == Form::constant && b.value == 0)
    return {Form::positive, {}, 0};
  const Known found = binary(i.op, a, b);
  return found.form == Form::other ? binary(i.op, b, a) : found;
}

}  // namespace

Activation activation_of(const PointwiseProgram& program) {
  if (program.results.size() != 1 || program.inputs < 1 || program.inputs > 2) return {};
  std::vector<Known> known = {with(Form::ramp, Activation::Kind::ramp)};
  if (program.inputs == 2) known.push_back({Form::addend, {}, 0});
  for (const PwInstr& i : program.code) known.push_back(result_of(i, known));
  const Known& result = known[program.results[0]];
  return result.as.adds == (program.inputs == 2) && !is_sum_itself(result) ? result.as : Activation{};
}

}  // namespace planish
