// LSTM, the recurrent half: what the input contributes to the gates was multiplied beforehand, for all time steps
// at once. A block of units keeps its 4 * 16 sums in registers while the recurrent weights stream past.

#include "kernels/lstm.h"

#include "kernels/check.h"
#include "kernels/cpu/common/math.h"
#include "kernels/cpu/common/simd.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kShareWork = 1 << 18;  // multiply-adds of a time step worth a barrier

// Input 0 … 5: sums of the input, weights, peepholes, lengths, first h, first c.
struct Lstm {
  const KernelArgs& args;
  int64_t hidden, blocks, steps, batches, directions;
  bool reversed, state_in_bytes;
  float* states;  // [D, N, 3 or 4, blocks * kLstmUnits]: h of even steps, h of odd ones, c; h in bytes

  explicit Lstm(const KernelArgs& a)
      : args(a),
        hidden(a.as<LstmRecurrentAttrs>().hidden),
        blocks(lstm_blocks(hidden)),
        steps(a.inputs[0].dims[0]),
        batches(a.inputs[0].dims[1]),
        directions(a.inputs[1].dims[0]),
        reversed(a.as<LstmRecurrentAttrs>().reversed != 0),
        state_in_bytes(a.as<LstmRecurrentAttrs>().state_in_bytes != 0),
        states(reinterpret_cast<float*>(a.workspace)) {}

  int64_t width() const { return blocks * kLstmUnits; }
  int64_t rows() const { return state_in_bytes ? 4 : 3; }
  float* state(int64_t d, int64_t n, int64_t which) const {
    return states + ((d * batches + n) * rows() + which) * width();
  }
  // h as the products of step `s` see it
  const float* seen(int64_t d, int64_t n, int64_t s) const { return state(d, n, state_in_bytes ? 3 : s % 2); }
  int64_t length(int64_t n) const {
    if (!args.has_input(3)) return steps;
    const int64_t given = load_int(args.inputs[3], n * args.inputs[3].strides[0]);
    if (given < 0 || given > steps)
      fail(Code::invalid_argument, "sequence_lens holds {}, 0 to {} are accepted", given, steps);
    return given;
  }
  bool backwards(int64_t d) const { return d == 1 || reversed; }
};

void start_states(const Lstm& lstm) {
  for (int64_t d = 0; d < lstm.directions; ++d)
    for (int64_t n = 0; n < lstm.batches; ++n) {
      std::fill_n(lstm.state(d, n, 0), lstm.rows() * lstm.width(), 0.f);
      for (size_t i : {4, 5}) {
        if (!lstm.args.has_input(i)) continue;
        const TensorView& first = lstm.args.inputs[i];
        const float* from = first.as<const float>() + d * first.strides[0] + n * first.strides[1];
        float* to = lstm.state(d, n, i == 4 ? 0 : 2);
        for (int64_t k = 0; k < lstm.hidden; ++k) to[k] = from[k * first.strides[2]];
      }
    }
}

// gates[64] = sums[64] + h[0 … hidden) * weights[hidden][64]
void multiply_block(const float* sums, const float* h, const float* weights, int64_t hidden, float* gates) {
  constexpr int kVecs = Vec::kWidth == 1 ? 8 : static_cast<int>(kLstmColumns) / Vec::kWidth;
  for (int64_t base = 0; base < kLstmColumns; base += kVecs * Vec::kWidth) {
    Vec acc[kVecs];
    for (int v = 0; v < kVecs; ++v) acc[v] = Vec::load(sums + base + v * Vec::kWidth);
    for (int64_t k = 0; k < hidden; ++k) {
      const Vec x = Vec::splat(h[k]);
      const float* row = weights + k * kLstmColumns + base;
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) acc[v] = Vec::fma(x, Vec::load(row + v * Vec::kWidth), acc[v]);
    }
    for (int v = 0; v < kVecs; ++v) acc[v].store(gates + base + v * Vec::kWidth);
  }
}

// gates i, o, f, c; peepholes i, o, f (each `width` apart) or null. c is read and written, h written.
void finish_block(const float* gates, const float* peepholes, int64_t width, float* c, float* h) {
  float in[kLstmUnits], out[kLstmUnits], forget[kLstmUnits];
  for (int64_t u = 0; u < kLstmUnits; ++u) {
    in[u] = gates[u];
    out[u] = gates[kLstmUnits + u];
    forget[u] = gates[2 * kLstmUnits + u];
  }
  if (peepholes != nullptr)
    for (int64_t u = 0; u < kLstmUnits; ++u) {
      in[u] += peepholes[u] * c[u];
      forget[u] += peepholes[2 * width + u] * c[u];
    }
  for (int64_t u = 0; u < kLstmUnits; ++u)
    c[u] = sigmoid_value(forget[u]) * c[u] + sigmoid_value(in[u]) * tanh_value(gates[3 * kLstmUnits + u]);
  if (peepholes != nullptr)
    for (int64_t u = 0; u < kLstmUnits; ++u) out[u] += peepholes[width + u] * c[u];
  for (int64_t u = 0; u < kLstmUnits; ++u) h[u] = sigmoid_value(out[u]) * tanh_value(c[u]);
}

void store_units(const TensorView& to, int64_t offset, int64_t step, const float* values, int64_t n) {
  float* out = to.as<float>() + offset;
  for (int64_t i = 0; i < n; ++i) out[i * step] = values[i];
}

// Time step `s` of one sequence: a block of units.
void step_block(const Lstm& lstm, int64_t d, int64_t n, int64_t length, int64_t s, int64_t block) {
  const TensorView &sums = lstm.args.inputs[0], &weights = lstm.args.inputs[1], &y = lstm.args.outputs[0];
  const int64_t first = block * kLstmUnits, count = std::min(kLstmUnits, lstm.hidden - first);
  const int64_t t = lstm.backwards(d) ? length - 1 - s : s;
  float* next = lstm.state(d, n, (s + 1) % 2) + first;
  float gates[kLstmColumns];
  multiply_block(
      sums.as<const float>() + t * sums.strides[0] + n * sums.strides[1] + (d * lstm.blocks + block) * kLstmColumns,
      lstm.seen(d, n, s), weights.as<const float>() + (d * lstm.blocks + block) * lstm.hidden * kLstmColumns,
      lstm.hidden, gates);
  const float* peepholes =
      lstm.args.has_input(2) ? lstm.args.inputs[2].as<const float>() + d * 3 * lstm.width() + first : nullptr;
  finish_block(gates, peepholes, lstm.width(), lstm.state(d, n, 2) + first, next);
  if (y.present())
    store_units(y, t * y.strides[0] + d * y.strides[1] + n * y.strides[2] + first * y.strides[3], y.strides[3], next,
                count);
}

// Before the blocks of step `s`
void round_state(const Lstm& lstm, int64_t d, int64_t n, int64_t s) {
  if (lstm.state_in_bytes) round_to_bytes(lstm.state(d, n, s % 2), lstm.hidden, lstm.state(d, n, 3));
}

// Blocks [begin, end) of (direction, block) over all sequences; a block's weights serve every sequence in turn.
void step_blocks(const Lstm& lstm, int64_t s, int64_t begin, int64_t end, int64_t first_batch, int64_t last_batch) {
  for (int64_t task = begin; task < end; ++task)
    for (int64_t n = first_batch; n < last_batch; ++n)
      if (const int64_t length = lstm.length(n); s < length)
        step_block(lstm, task / lstm.blocks, n, length, s, task % lstm.blocks);
}

// Past its length a sequence yields zeros; its last states are the results.
void finish_sequence(const Lstm& lstm, int64_t d, int64_t n) {
  const int64_t length = lstm.length(n);
  const TensorView& y = lstm.args.outputs[0];
  if (y.present())
    for (int64_t t = length; t < lstm.steps; ++t)
      for (int64_t k = 0; k < lstm.hidden; ++k)
        y.as<float>()[t * y.strides[0] + d * y.strides[1] + n * y.strides[2] + k * y.strides[3]] = 0;
  for (size_t i : {1, 2}) {
    if (!lstm.args.has_output(i)) continue;
    const TensorView& last = lstm.args.outputs[i];
    store_units(last, d * last.strides[0] + n * last.strides[1], last.strides[2],
                lstm.state(d, n, i == 1 ? length % 2 : 2), lstm.hidden);
  }
}

// Operands and results as kernels/lstm.h lists them.
void check_lstm(const KernelArgs& args) {
  const Operands o(args, 2, 6, 0, 3);
  require(!args.outputs.empty(), "no result; 1 to 3 are accepted");
  const Slot sums = o.in(0).rank(3, 3).adjacent(2), weights = o.in(1).rank(4, 4);
  const int64_t steps = sums.extent(0), batches = sums.extent(1), directions = weights.extent(0),
                hidden = weights.extent(2);
  require(args.as<LstmRecurrentAttrs>().hidden == hidden && directions >= 1 && directions <= 2,
          "weights of {} directions of {} units for {}", directions, hidden, args.as<LstmRecurrentAttrs>().hidden);
  const int64_t blocks = lstm_blocks(hidden);
  for (size_t i : {0, 1, 2, 4, 5}) o.in(i).is({DataType::f32});
  sums.shape({steps, batches, directions * blocks * kLstmColumns});
  weights.shape({directions, blocks, hidden, kLstmColumns}).dense();
  o.in(2).shape({directions, 3, blocks * kLstmUnits}).dense();
  o.in(3).integers().shape({batches});
  for (size_t i : {4, 5}) o.in(i).shape({directions, batches, hidden});
  for (size_t i : {0, 1, 2}) o.out(i).is({DataType::f32});
  o.out(0).shape({steps, directions, batches, hidden});
  for (size_t i : {1, 2}) o.out(i).shape({directions, batches, hidden});
}

// Sequences are independent, and so are directions: they are shared out where there are enough of them; else the
// blocks of one time step are, where it is long enough.
void run_lstm(const KernelArgs& args) {
  const Lstm lstm(args);
  start_states(lstm);
  const int64_t tasks = lstm.directions * lstm.blocks, sequences = lstm.directions * lstm.batches;
  const int64_t work = tasks * lstm.batches * lstm.hidden * kLstmColumns;
  if (sequences >= args.pool->size() || work < kShareWork) {
    args.pool->parallel_for(sequences, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t d = i / lstm.batches, n = i % lstm.batches;
        for (int64_t s = 0; s < lstm.steps; ++s) {
          round_state(lstm, d, n, s);
          step_blocks(lstm, s, d * lstm.blocks, (d + 1) * lstm.blocks, n, n + 1);
        }
      }
    });
  } else {
    for (int64_t s = 0; s < lstm.steps; ++s) {
      for (int64_t i = 0; i < sequences; ++i) round_state(lstm, i / lstm.batches, i % lstm.batches, s);
      args.pool->parallel_for(tasks, 1,
                              [&](int64_t begin, int64_t end) { step_blocks(lstm, s, begin, end, 0, lstm.batches); });
    }
  }
  for (int64_t d = 0; d < lstm.directions; ++d)
    for (int64_t n = 0; n < lstm.batches; ++n) finish_sequence(lstm, d, n);
}

int64_t lstm_workspace(const KernelArgs& args) {
  const auto& attrs = args.as<LstmRecurrentAttrs>();
  const int64_t rows = attrs.state_in_bytes != 0 ? 4 : 3;
  return args.inputs[1].dims[0] * args.inputs[0].dims[1] * rows * lstm_blocks(attrs.hidden) * kLstmUnits * 4;
}

}  // namespace

void register_lstm(KernelTable& table) {
  table.add(make_kernel<LstmRecurrentAttrs>("lstm.recurrent", check_lstm, run_lstm, lstm_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
