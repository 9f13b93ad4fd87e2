// GRU, gates in the order z, r, h, and RNN; f and g are the activations:
//   z = f(Xt Wz' + Ht-1 Rz' + bz)   r = f(Xt Wr' + Ht-1 Rr' + br)
//   h = g(Xt Wh' + (r . Ht-1) Rh' + Wbh + Rbh)      linear_before_reset: g(Xt Wh' + Wbh + r . (Ht-1 Rh' + Rbh))
//   Ht = (1 - z) . h + z . Ht-1
//   RNN: Ht = f(Xt W' + Ht-1 R' + b)
// What f and g take is clipped to [-clip, clip] where clip is above 0.

#include "kernels/reference/recurrent.h"

#include <cmath>

#include "kernels/check.h"
#include "kernels/reference/activations.h"

namespace planish::kernels::reference {
namespace {

std::vector<std::string> default_activations(int64_t gates) {
  return gates == 1 ? std::vector<std::string>{"Tanh"} : std::vector<std::string>{"Sigmoid", "Tanh"};
}

// sum of row[k] * vector[k]; four sums, so that additions need not wait for one another
double dot(const TensorView& view, int64_t offset, int64_t stride, const std::vector<double>& vector) {
  const size_t n = vector.size();
  double sums[4] = {};
  if (view.dtype == DataType::f32 && stride == 1) {
    const float* row = view.as<const float>() + offset;
    size_t k = 0;
    for (; k + 4 <= n; k += 4)
      for (size_t lane = 0; lane < 4; ++lane) sums[lane] += static_cast<double>(row[k + lane]) * vector[k + lane];
    for (; k < n; ++k) sums[0] += static_cast<double>(row[k]) * vector[k];
  } else {
    for (size_t k = 0; k < n; ++k) sums[0] += load_double(view, offset + static_cast<int64_t>(k) * stride) * vector[k];
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

std::vector<double> load_row(const TensorView& view, int64_t offset, int64_t stride, int64_t count) {
  std::vector<double> row;
  for (int64_t k = 0; k < count; ++k) row.push_back(load_double(view, offset + k * stride));
  return row;
}

// One direction of one sequence.
class Sequence {
 public:
  Sequence(const KernelArgs& args, int64_t gates, int64_t direction, int64_t batch)
      : args_(args), gates_(gates), direction_(direction), batch_(batch), hidden_(args.inputs[2].dims[2]) {
    const auto& attrs = args.as<RecurrentAttrs>();
    const auto defaults = default_activations(gates);
    const auto directions = static_cast<size_t>(args.inputs[2].dims[0]);
    const auto functions = activations_of(attrs, defaults, directions, Code::invalid_plan);
    const size_t first = static_cast<size_t>(direction) * defaults.size();
    f_ = functions[first];
    g_ = functions[first + defaults.size() - 1];
    clip_ = attrs.clip;
    backwards_ = direction == 1 || attrs.direction == "reverse";
    linear_before_reset_ = attrs.linear_before_reset != 0;
    h_.resize(static_cast<size_t>(hidden_));
    if (args.has_input(5)) {
      const TensorView& first_h = args.inputs[5];
      h_ = load_row(first_h, direction * first_h.strides[0] + batch * first_h.strides[1], first_h.strides[2], hidden_);
    }
  }

  void run() {
    const int64_t steps = args_.inputs[0].dims[0], length = length_of(steps);
    for (int64_t s = 0; s < steps; ++s) {
      const bool live = s < length;
      const int64_t t = live && backwards_ ? length - 1 - s : s;
      if (live) step(t);
      const TensorView& y = args_.outputs[0];
      if (y.present())
        store(y, t * y.strides[0] + direction_ * y.strides[1] + batch_ * y.strides[2], y.strides[3], live);
    }
    if (!args_.has_output(1)) return;
    const TensorView& last = args_.outputs[1];
    store(last, direction_ * last.strides[0] + batch_ * last.strides[1], last.strides[2], true);
  }

 private:
  int64_t length_of(int64_t steps) const {
    if (!args_.has_input(4)) return steps;
    const int64_t length = load_int(args_.inputs[4], batch_ * args_.inputs[4].strides[0]);
    if (length < 0 || length > steps)
      fail(Code::invalid_argument, "sequence_lens holds {}, 0 to {} are accepted", length, steps);
    return length;
  }

  void store(const TensorView& out, int64_t offset, int64_t stride, bool live) const {
    for (int64_t k = 0; k < hidden_; ++k) store_double(out, offset + k * stride, live ? h_[static_cast<size_t>(k)] : 0);
  }

  // half 0: the input's bias, 1: the recurrent one
  double bias(int64_t half, int64_t row) const {
    if (!args_.has_input(3)) return 0;
    const TensorView& b = args_.inputs[3];
    return load_double(b, direction_ * b.strides[0] + (half * gates_ * hidden_ + row) * b.strides[1]);
  }

  double product(size_t operand, int64_t row, const std::vector<double>& vector) const {
    const TensorView& w = args_.inputs[operand];
    return dot(w, direction_ * w.strides[0] + row * w.strides[1], w.strides[2], vector);
  }

  // f of a row's sum
  double gate(int64_t row, const std::vector<double>& x) const {
    return f_(clipped(product(1, row, x) + product(2, row, h_) + bias(0, row) + bias(1, row), clip_));
  }

  void step(int64_t t) {
    const TensorView& in = args_.inputs[0];
    const auto x = load_row(in, t * in.strides[0] + batch_ * in.strides[1], in.strides[2], in.dims[2]);
    std::vector<double> next(h_.size());
    if (gates_ == 1)
      for (int64_t k = 0; k < hidden_; ++k) next[static_cast<size_t>(k)] = gate(k, x);
    else
      gru_step(x, next);
    h_.swap(next);
  }

  void gru_step(const std::vector<double>& x, std::vector<double>& next) const {
    std::vector<double> reset(h_.size()), kept(h_.size());
    for (int64_t k = 0; k < hidden_; ++k) {
      const auto at = static_cast<size_t>(k);
      reset[at] = gate(hidden_ + k, x);
      kept[at] = reset[at] * h_[at];
    }
    for (int64_t k = 0; k < hidden_; ++k) {
      const auto at = static_cast<size_t>(k);
      const int64_t row = 2 * hidden_ + k;
      const double recurrent = linear_before_reset_ ? reset[at] * (product(2, row, h_) + bias(1, row))
                                                    : product(2, row, kept) + bias(1, row);
      const double z = gate(k, x);
      const double sum = product(1, row, x) + bias(0, row) + recurrent;
      next[at] = (1 - z) * g_(clipped(sum, clip_)) + z * h_[at];
    }
  }

  const KernelArgs& args_;
  int64_t gates_, direction_, batch_, hidden_;
  Activation f_, g_;  // one and the same in RNN
  double clip_ = 0;
  bool backwards_ = false, linear_before_reset_ = false;
  std::vector<double> h_;
};

// X [T, N, I], W [D, gates H, I], R [D, gates H, H], B [D, 2 gates H], lengths [N], initial h [D, N, H]
// -> Y [T, D, N, H], Y_h [D, N, H]
template <int64_t gates>
void check_recurrent(const KernelArgs& args) {
  const Operands o(args, 3, 6, 0, 2);
  const auto& attrs = args.as<RecurrentAttrs>();
  const Slot x = o.in(0).rank(3, 3), r = o.in(2).rank(3, 3);
  const int64_t steps = x.extent(0), batches = x.extent(1), directions = r.extent(0), hidden = r.extent(2);
  require(directions >= 1 && directions <= 2, "{} directions", directions);
  static_cast<void>(
      activations_of(attrs, default_activations(gates), static_cast<size_t>(directions), Code::invalid_plan));
  r.shape({directions, gates * hidden, hidden});
  o.in(1).shape({directions, gates * hidden, x.extent(2)});
  o.in(3).shape({directions, 2 * gates * hidden});
  o.in(4).integers().shape({batches});
  o.in(5).shape({directions, batches, hidden});
  o.out(0).shape({steps, directions, batches, hidden});
  o.out(1).shape({directions, batches, hidden});
}

template <int64_t gates>
void run_recurrent(const KernelArgs& args) {
  const int64_t directions = args.inputs[2].dims[0], batches = args.inputs[0].dims[1];
  args.pool->parallel_for(directions * batches, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) Sequence(args, gates, i / batches, i % batches).run();
  });
}

}  // namespace

void register_recurrent(KernelTable& table) {
  table.add(make_kernel<RecurrentAttrs>("gru", check_recurrent<3>, run_recurrent<3>));
  table.add(make_kernel<RecurrentAttrs>("rnn", check_recurrent<1>, run_recurrent<1>));
}

}  // namespace planish::kernels::reference
