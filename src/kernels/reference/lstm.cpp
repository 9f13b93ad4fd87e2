// LSTM, gates in the order i, o, f, c; f, g and h are the activations (Sigmoid, Tanh, Tanh unless named):
//   i = f(Xt Wi' + Ht-1 Ri' + Pi.Ct-1 + bi)   f = f(Xt Wf' + Ht-1 Rf' + Pf.Ct-1 + bf), or 1 - i with input_forget
//   c = g(Xt Wc' + Ht-1 Rc' + bc)             Ct = f.Ct-1 + i.c
//   o = f(Xt Wo' + Ht-1 Ro' + Po.Ct + bo)     Ht = o.h(Ct)
// The sums of gates are clipped to [-clip, clip] where clip is above 0.

#include "kernels/reference/lstm.h"

#include "kernels/check.h"
#include "kernels/recurrent.h"
#include "kernels/reference/activations.h"

namespace planish::kernels::reference {
namespace {

const std::vector<std::string> kLstmActivations = {"Sigmoid", "Tanh", "Tanh"};

// Element of an optional operand, 0 where it is absent.
double lstm_load(const KernelArgs& args, size_t operand, std::initializer_list<int64_t> index) {
  if (!args.has_input(operand)) return 0;
  int64_t offset = 0;
  size_t axis = 0;
  for (int64_t i : index) offset += i * args.inputs[operand].strides[axis++];
  return load_double(args.inputs[operand], offset);
}

struct LstmCell {
  const KernelArgs& args;
  int64_t direction, batch, inputs, hidden;
  Activation f, g, h_of_c;
  double clip;
  bool input_forget;  // f = 1 - i
  bool state_in_bytes;
  std::vector<double> h, c, gates, next_h;

  // One element of a gate, with what the peephole sees of the cell
  double gate(const Activation& activation, int64_t number, int64_t k, int64_t peephole) const {
    double sum = gates[static_cast<size_t>(number * hidden + k)];
    if (peephole >= 0) sum += lstm_load(args, 7, {direction, peephole * hidden + k}) * c[static_cast<size_t>(k)];
    return activation(clipped(sum, clip));
  }

  double pre_activation(int64_t t, int64_t row) const {
    double sum = lstm_load(args, 3, {direction, row}) + lstm_load(args, 3, {direction, 4 * hidden + row});
    const TensorView &x = args.inputs[0], &w = args.inputs[1], &r = args.inputs[2];
    const int64_t xo = t * x.strides[0] + batch * x.strides[1], wo = direction * w.strides[0] + row * w.strides[1];
    for (int64_t i = 0; i < inputs; ++i)
      sum += load_double(x, xo + i * x.strides[2]) * load_double(w, wo + i * w.strides[2]);
    const int64_t ro = direction * r.strides[0] + row * r.strides[1];
    for (int64_t i = 0; i < hidden; ++i) sum += h[static_cast<size_t>(i)] * load_double(r, ro + i * r.strides[2]);
    return sum;
  }

  // h as the products of the next step see it
  void round_state() {
    const std::vector<float> exact(h.begin(), h.end());
    std::vector<float> rounded(exact.size());
    round_to_bytes(exact.data(), hidden, rounded.data());
    h.assign(rounded.begin(), rounded.end());
  }

  void step(int64_t t) {
    if (state_in_bytes) round_state();
    for (int64_t row = 0; row < 4 * hidden; ++row) gates[static_cast<size_t>(row)] = pre_activation(t, row);
    for (int64_t k = 0; k < hidden; ++k) {
      const auto at = static_cast<size_t>(k);
      const double i = gate(f, 0, k, 0), forget = input_forget ? 1 - i : gate(f, 2, k, 2);
      c[at] = forget * c[at] + i * gate(g, 3, k, -1);
      next_h[at] = gate(f, 1, k, 1) * h_of_c(c[at]);
    }
    h.swap(next_h);
  }
};

void lstm_store_row(const TensorView& out, int64_t offset, int64_t stride, const std::vector<double>& row) {
  for (size_t k = 0; k < row.size(); ++k) store_double(out, offset + static_cast<int64_t>(k) * stride, row[k]);
}

void run_direction(const KernelArgs& args, int64_t direction, int64_t batch, bool backwards) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const int64_t hidden = args.inputs[2].dims[2], steps = x.dims[0];
  const auto n = static_cast<size_t>(hidden);
  const auto& attrs = args.as<LstmAttrs>();
  const auto functions =
      activations_of(attrs, kLstmActivations, static_cast<size_t>(args.inputs[2].dims[0]), Code::invalid_plan);
  const auto first = static_cast<size_t>(3 * direction);
  LstmCell cell{args,
                direction,
                batch,
                x.dims[2],
                hidden,
                functions[first],
                functions[first + 1],
                functions[first + 2],
                attrs.clip,
                attrs.input_forget != 0,
                attrs.state_in_bytes != 0,
                std::vector<double>(n),
                std::vector<double>(n),
                std::vector<double>(4 * n),
                std::vector<double>(n)};
  for (int64_t k = 0; k < hidden; ++k) {
    cell.h[static_cast<size_t>(k)] = lstm_load(args, 5, {direction, batch, k});
    cell.c[static_cast<size_t>(k)] = lstm_load(args, 6, {direction, batch, k});
  }
  const int64_t length = args.has_input(4) ? load_int(args.inputs[4], batch * args.inputs[4].strides[0]) : steps;
  if (length < 0 || length > steps)
    fail(Code::invalid_argument, "sequence_lens holds {}, 0 to {} are accepted", length, steps);
  const std::vector<double> zeros(n);
  for (int64_t s = 0; s < steps; ++s) {
    const bool live = s < length;
    const int64_t t = live && backwards ? length - 1 - s : s;
    if (live) cell.step(t);
    if (y.present())
      lstm_store_row(y, t * y.strides[0] + direction * y.strides[1] + batch * y.strides[2], y.strides[3],
                     live ? cell.h : zeros);
  }
  for (size_t i = 1; i < 3; ++i)
    if (args.has_output(i))
      lstm_store_row(args.outputs[i], direction * args.outputs[i].strides[0] + batch * args.outputs[i].strides[1],
                     args.outputs[i].strides[2], i == 1 ? cell.h : cell.c);
}

// X [T, N, I], W [D, 4H, I], R [D, 4H, H], B? [D, 8H], sequence_lens? [N], initial_h?, initial_c? [D, N, H],
// P? [D, 3H] -> Y? [T, D, N, H], Y_h?, Y_c? [D, N, H]
void check_lstm(const KernelArgs& args) {
  const Operands o(args, 3, 8, 0, 3);
  require(!args.outputs.empty(), "no result; 1 to 3 are accepted");
  const Slot x = o.in(0).rank(3, 3), r = o.in(2).rank(3, 3);
  const int64_t steps = x.extent(0), batches = x.extent(1), directions = r.extent(0), hidden = r.extent(2);
  require(directions >= 1 && directions <= 2, "{} directions", directions);
  static_cast<void>(
      activations_of(args.as<LstmAttrs>(), kLstmActivations, static_cast<size_t>(directions), Code::invalid_plan));
  r.shape({directions, 4 * hidden, hidden});
  o.in(1).shape({directions, 4 * hidden, x.extent(2)});
  o.in(3).shape({directions, 8 * hidden});
  o.in(4).integers().shape({batches});
  o.in(5).shape({directions, batches, hidden});
  o.in(6).shape({directions, batches, hidden});
  o.in(7).shape({directions, 3 * hidden});
  o.out(0).shape({steps, directions, batches, hidden});
  o.out(1).shape({directions, batches, hidden});
  o.out(2).shape({directions, batches, hidden});
}

void run_lstm(const KernelArgs& args) {
  const auto& attrs = args.as<LstmAttrs>();
  const int64_t directions = args.inputs[2].dims[0], batches = args.inputs[0].dims[1];
  args.pool->parallel_for(directions * batches, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      run_direction(args, i / batches, i % batches, i / batches == 1 || attrs.direction == "reverse");
  });
}

}  // namespace

void register_lstm(KernelTable& table) { table.add(make_kernel<LstmAttrs>("lstm", check_lstm, run_lstm)); }

}  // namespace planish::kernels::reference
