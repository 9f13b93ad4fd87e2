// LSTM, GRU and RNN, the recurrent half: what the input contributes to the gates was multiplied beforehand, for all
// time steps at once. A block of units keeps its sums in registers while the recurrent weights stream past, which may
// be pairs of bf16: then the state is rounded as it is multiplied.

#include "kernels/recurrent.h"

#include "kernels/check.h"
#include "kernels/cpu/common/half.h"
#include "kernels/cpu/common/math.h"
#include "kernels/cpu/common/mma_block.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kShareWork = 1 << 18;  // multiply-adds of a time step worth a barrier

struct Recurrence;

// A block of units of one sequence in time step `s`, which sees time `t` of the input.
struct UnitBlock {
  int64_t direction, batch, block, s, t;
  int64_t first() const { return block * kBlockUnits; }
};

struct Cell {
  int64_t gates, states;  // states: rows of units that a sequence keeps, h of even and of odd steps first
  int phases;             // of a time step: all blocks are through one before the next begins
  void (*step)(const Recurrence&, const UnitBlock&, int phase);
};

struct Recurrence {
  const KernelArgs& args;
  const RecurrentStepAttrs& attrs;
  const Cell cell;
  int64_t blocks, steps, batches, directions;
  float* memory;  // [D, N, cell.states, width]

  Recurrence(const KernelArgs& a, const Cell& c)
      : args(a),
        attrs(a.as<RecurrentStepAttrs>()),
        cell(c),
        blocks(unit_blocks(attrs.hidden)),
        steps(a.inputs[0].dims[0]),
        batches(a.inputs[0].dims[1]),
        directions(a.inputs[1].dims[0]),
        memory(reinterpret_cast<float*>(a.workspace)) {}

  int64_t columns() const { return cell.gates * kBlockUnits; }
  int64_t width() const { return blocks * kBlockUnits; }
  float* state(int64_t d, int64_t n, int64_t which) const {
    return memory + ((d * batches + n) * cell.states + which) * width();
  }
  float* state(const UnitBlock& u, int64_t which) const { return state(u.direction, u.batch, which); }
  const float* sums(const UnitBlock& u) const {
    const TensorView& in = args.inputs[0];
    return in.as<const float>() + u.t * in.strides[0] + u.batch * in.strides[1] +
           (u.direction * blocks + u.block) * columns();
  }
  // Rows of the weights of each column: pairs of bf16 are whole.
  int64_t depth() const { return args.inputs[1].dims[2]; }
  Elements weights(const UnitBlock& u) const {
    return elements_of(args.inputs[1]).at((u.direction * blocks + u.block) * depth() * columns());
  }
  // Row `row` of operand 2, which has `rows` a direction; null: absent.
  const float* extra(const UnitBlock& u, int64_t rows, int64_t row) const {
    if (!args.has_input(2)) return nullptr;
    return args.inputs[2].as<const float>() + (u.direction * rows + row) * width() + u.first();
  }
  int64_t length(int64_t n) const {
    if (!args.has_input(3)) return steps;
    const int64_t given = load_int(args.inputs[3], n * args.inputs[3].strides[0]);
    if (given < 0 || given > steps)
      fail(Code::invalid_argument, "sequence_lens holds {}, 0 to {} are accepted", given, steps);
    return given;
  }
  bool backwards(int64_t d) const { return d == 1 || attrs.reversed != 0; }
};

// Whether weights of so many columns may be pairs of bf16: those that are long on their way.
constexpr bool is_paired(int64_t columns) { return columns > 2 * kBlockUnits; }

#if defined(PLANISH_ISA_avx512)

// gates[columns] = start[columns] + h[0 … hidden) * weights[hidden][columns] of weights [pair of rows][columns] in
// words of two bf16; h is rounded, 32 values at a time.
template <int64_t columns>
[[gnu::flatten]] void multiply_half_gates(const float* start, const float* h, const int32_t* weights, int64_t hidden,
                                          float* gates) {
  constexpr int kVecs = static_cast<int>(columns / Vec::kWidth), kParts = 4;
  constexpr int64_t kPairs = 16;
  Words sums[kParts * kVecs];
  for_constants<kParts * kVecs>([&](int i) { sums[i] = no_words(); });
  const auto add = [&](int part, const int32_t* word, const int32_t* row) {
    const Words x = splat_word(*word);
    for_constants<kVecs>([&](int v) { DotBf16::add(sums[part * kVecs + v], x, load_words(row + v * Vec::kWidth)); });
  };
  for (int64_t k = 0; k < hidden; k += 2 * kPairs) {
    const auto some = static_cast<uint32_t>((uint64_t{1} << std::min(2 * kPairs, hidden - k)) - 1);
    const __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(some), h + k),
                 high = _mm512_maskz_loadu_ps(static_cast<__mmask16>(some >> 16), h + k + kPairs);
    __m512i both;
    __asm__("vcvtne2ps2bf16 %1, %2, %0" : "=v"(both) : "v"(low), "v"(high));
    alignas(64) int32_t words[kPairs];
    store_words(words, both);
    const int64_t pairs = std::min(kPairs, (hidden - k + 1) / 2);
    const int32_t* const rows = weights + k / 2 * columns;
    int64_t i = 0;
    for (; i + kParts <= pairs; i += kParts)
      for_constants<kParts>([&](int part) { add(part, words + i + part, rows + (i + part) * columns); });
    for (; i < pairs; ++i) add(0, words + i, rows + i * columns);
  }
  for_constants<kVecs>([&](int v) {
    __m512 sum = _mm512_loadu_ps(start + v * Vec::kWidth);
    for_constants<kParts>([&](int part) { sum = _mm512_add_ps(sum, _mm512_castsi512_ps(sums[part * kVecs + v])); });
    _mm512_storeu_ps(gates + v * Vec::kWidth, sum);
  });
}

#endif

// gates[columns] = start[columns] + h[0 … hidden) * weights[hidden][columns]. Few columns are summed in several parts,
// so that additions need not wait for one another.
template <int64_t columns>
void multiply_gates(const float* start, const float* h, const Elements& rows, int64_t hidden, float* gates) {
#if defined(PLANISH_ISA_avx512)
  if constexpr (is_paired(columns))
    if (rows.is_half())
      return multiply_half_gates<columns>(start, h, reinterpret_cast<const int32_t*>(rows.data), hidden, gates);
#endif
  const auto* const weights = reinterpret_cast<const float*>(rows.data);
  constexpr int kVecs = static_cast<int>(std::min<int64_t>(8, columns / Vec::kWidth)), kParts = 8 / kVecs;
  for (int64_t base = 0; base < columns; base += kVecs * Vec::kWidth) {
    Vec sums[kParts][kVecs];
    for (int v = 0; v < kVecs; ++v) sums[0][v] = Vec::load(start + base + v * Vec::kWidth);
    for (int part = 1; part < kParts; ++part)
      for (int v = 0; v < kVecs; ++v) sums[part][v] = Vec::splat(0.f);
    int64_t k = 0;
    for (; k + kParts <= hidden; k += kParts) {
#pragma GCC unroll 8
      for (int part = 0; part < kParts; ++part) {
        const Vec x = Vec::splat(h[k + part]);
        const float* row = weights + (k + part) * columns + base;
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) sums[part][v] = Vec::fma(x, Vec::load(row + v * Vec::kWidth), sums[part][v]);
      }
    }
    for (; k < hidden; ++k)
      for (int v = 0; v < kVecs; ++v)
        sums[0][v] = Vec::fma(Vec::splat(h[k]), Vec::load(weights + k * columns + base + v * Vec::kWidth), sums[0][v]);
    for (int v = 0; v < kVecs; ++v) {
      for (int part = 1; part < kParts; ++part) sums[0][v] = sums[0][v] + sums[part][v];
      sums[0][v].store(gates + base + v * Vec::kWidth);
    }
  }
}

// --- LSTM: h of even steps, h of odd ones, c; where h is seen in bytes, h so

constexpr int64_t kCellState = 2, kRoundedState = 3;

// gates i, o, f, c; peepholes i, o, f (each `width` apart) or null. c is read and written, h written.
void finish_lstm(const float* gates, const float* peepholes, int64_t width, float* c, float* h) {
  float in[kBlockUnits], out[kBlockUnits], forget[kBlockUnits];
  for (int64_t u = 0; u < kBlockUnits; ++u) {
    in[u] = gates[u];
    out[u] = gates[kBlockUnits + u];
    forget[u] = gates[2 * kBlockUnits + u];
  }
  if (peepholes != nullptr)
    for (int64_t u = 0; u < kBlockUnits; ++u) {
      in[u] += peepholes[u] * c[u];
      forget[u] += peepholes[2 * width + u] * c[u];
    }
  for (int64_t u = 0; u < kBlockUnits; ++u)
    c[u] = sigmoid_value(forget[u]) * c[u] + sigmoid_value(in[u]) * tanh_value(gates[3 * kBlockUnits + u]);
  if (peepholes != nullptr)
    for (int64_t u = 0; u < kBlockUnits; ++u) out[u] += peepholes[width + u] * c[u];
  for (int64_t u = 0; u < kBlockUnits; ++u) h[u] = sigmoid_value(out[u]) * tanh_value(c[u]);
}

void step_lstm(const Recurrence& r, const UnitBlock& u, int) {
  float gates[4 * kBlockUnits];
  multiply_gates<4 * kBlockUnits>(r.sums(u), r.state(u, r.attrs.state_in_bytes != 0 ? kRoundedState : u.s % 2),
                                  r.weights(u), r.attrs.hidden, gates);
  finish_lstm(gates, r.extra(u, 3, 0), r.width(), r.state(u, kCellState) + u.first(),
              r.state(u, (u.s + 1) % 2) + u.first());
}

// Before the blocks of step `s`
void round_state(const Recurrence& r, int64_t d, int64_t n, int64_t s) {
  if (r.attrs.state_in_bytes != 0) round_to_bytes(r.state(d, n, s % 2), r.attrs.hidden, r.state(d, n, kRoundedState));
}

// --- GRU: h of even steps, h of odd ones; with reset_first z and r . h, too

constexpr int64_t kUpdateGate = 2, kKeptState = 3;

void finish_gru(const float* z, const float* candidate, const float* before, float* h) {
  for (int64_t i = 0; i < kBlockUnits; ++i) {
    const float n = tanh_value(candidate[i]);
    h[i] = n + z[i] * (before[i] - n);
  }
}

void step_gru(const Recurrence& r, const UnitBlock& u, int) {
  const float *sums = r.sums(u), *h = r.state(u, u.s % 2), *bias = r.extra(u, 1, 0);
  float start[3 * kBlockUnits] = {}, gates[3 * kBlockUnits];
  std::copy_n(sums, 2 * kBlockUnits, start);
  if (bias != nullptr) std::copy_n(bias, kBlockUnits, start + 2 * kBlockUnits);
  multiply_gates<3 * kBlockUnits>(start, h, r.weights(u), r.attrs.hidden, gates);
  float *z = gates, *candidate = gates + 2 * kBlockUnits;
  for (int64_t i = 0; i < kBlockUnits; ++i) {
    z[i] = sigmoid_value(z[i]);
    candidate[i] = sums[2 * kBlockUnits + i] + sigmoid_value(gates[kBlockUnits + i]) * candidate[i];
  }
  finish_gru(z, candidate, h + u.first(), r.state(u, (u.s + 1) % 2) + u.first());
}

void step_gru_reset_first(const Recurrence& r, const UnitBlock& u, int phase) {
  const float *sums = r.sums(u), *h = r.state(u, u.s % 2);
  const Elements weights = r.weights(u);
  float gates[2 * kBlockUnits];
  float* const z = r.state(u, kUpdateGate) + u.first();
  if (phase == 0) {
    multiply_gates<2 * kBlockUnits>(sums, h, weights, r.attrs.hidden, gates);
    float* const kept = r.state(u, kKeptState) + u.first();
    for (int64_t i = 0; i < kBlockUnits; ++i) {
      z[i] = sigmoid_value(gates[i]);
      kept[i] = sigmoid_value(gates[kBlockUnits + i]) * h[u.first() + i];
    }
    return;
  }
  multiply_gates<kBlockUnits>(sums + 2 * kBlockUnits, r.state(u, kKeptState), weights.at(r.depth() * 2 * kBlockUnits),
                              r.attrs.hidden, gates);
  finish_gru(z, gates, h + u.first(), r.state(u, (u.s + 1) % 2) + u.first());
}

// --- RNN: h of even steps, h of odd ones

void step_rnn(const Recurrence& r, const UnitBlock& u, int) {
  float* const h = r.state(u, (u.s + 1) % 2) + u.first();
  multiply_gates<kBlockUnits>(r.sums(u), r.state(u, u.s % 2), r.weights(u), r.attrs.hidden, h);
  for (int64_t i = 0; i < kBlockUnits; ++i) h[i] = r.attrs.relu != 0 ? std::max(h[i], 0.f) : tanh_value(h[i]);
}

Cell lstm_cell(const RecurrentStepAttrs& attrs) { return {4, attrs.state_in_bytes != 0 ? 4 : 3, 1, step_lstm}; }

Cell gru_cell(const RecurrentStepAttrs& attrs) {
  return attrs.reset_first != 0 ? Cell{3, 4, 2, step_gru_reset_first} : Cell{3, 2, 1, step_gru};
}

Cell rnn_cell(const RecurrentStepAttrs&) { return {1, 2, 1, step_rnn}; }

// --- sequences

void start_states(const Recurrence& r) {
  for (int64_t d = 0; d < r.directions; ++d)
    for (int64_t n = 0; n < r.batches; ++n) {
      std::fill_n(r.state(d, n, 0), r.cell.states * r.width(), 0.f);
      for (size_t i : {4, 5}) {
        if (!r.args.has_input(i)) continue;
        const TensorView& first = r.args.inputs[i];
        const float* from = first.as<const float>() + d * first.strides[0] + n * first.strides[1];
        float* to = r.state(d, n, i == 4 ? 0 : kCellState);
        for (int64_t k = 0; k < r.attrs.hidden; ++k) to[k] = from[k * first.strides[2]];
      }
    }
}

void store_units(const TensorView& to, int64_t offset, int64_t step, const float* values, int64_t n) {
  float* out = to.as<float>() + offset;
  for (int64_t i = 0; i < n; ++i) out[i * step] = values[i];
}

// Blocks [begin, end) of (direction, block) over all sequences; a block's weights serve every sequence in turn.
void step_blocks(const Recurrence& r, int64_t s, int phase, int64_t begin, int64_t end, int64_t first_batch,
                 int64_t last_batch) {
  const TensorView& y = r.args.outputs[0];
  for (int64_t task = begin; task < end; ++task)
    for (int64_t n = first_batch; n < last_batch; ++n) {
      const int64_t length = r.length(n), d = task / r.blocks;
      if (s >= length) continue;
      const UnitBlock u{d, n, task % r.blocks, s, r.backwards(d) ? length - 1 - s : s};
      r.cell.step(r, u, phase);
      if (y.present() && phase == r.cell.phases - 1)
        store_units(y, u.t * y.strides[0] + d * y.strides[1] + n * y.strides[2] + u.first() * y.strides[3],
                    y.strides[3], r.state(u, (s + 1) % 2) + u.first(),
                    std::min(kBlockUnits, r.attrs.hidden - u.first()));
    }
}

// Past its length a sequence yields zeros; its last states are the results.
void finish_sequence(const Recurrence& r, int64_t d, int64_t n) {
  const int64_t length = r.length(n);
  const TensorView& y = r.args.outputs[0];
  if (y.present())
    for (int64_t t = length; t < r.steps; ++t)
      for (int64_t k = 0; k < r.attrs.hidden; ++k)
        y.as<float>()[t * y.strides[0] + d * y.strides[1] + n * y.strides[2] + k * y.strides[3]] = 0;
  for (size_t i : {1, 2}) {
    if (!r.args.has_output(i)) continue;
    const TensorView& last = r.args.outputs[i];
    store_units(last, d * last.strides[0] + n * last.strides[1], last.strides[2],
                r.state(d, n, i == 1 ? length % 2 : kCellState), r.attrs.hidden);
  }
}

// Sequences are independent, and so are directions: they are shared out where there are enough of them; else the
// blocks of one time step are, where it is long enough.
void run_recurrence(const Recurrence& r) {
  if (lies_half(r.args.inputs[1].dtype) && !host_has(Mma::dot_bf16))
    fail(Code::mismatch, "products of bf16, which this processor lacks");
  start_states(r);
  const int64_t tasks = r.directions * r.blocks, sequences = r.directions * r.batches;
  ThreadPool& pool = *r.args.pool;
  if (sequences >= pool.size() || tasks * r.batches * r.attrs.hidden * r.columns() < kShareWork) {
    pool.parallel_for(sequences, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t d = i / r.batches, n = i % r.batches;
        for (int64_t s = 0; s < r.steps; ++s) {
          round_state(r, d, n, s);
          for (int phase = 0; phase < r.cell.phases; ++phase)
            step_blocks(r, s, phase, d * r.blocks, (d + 1) * r.blocks, n, n + 1);
        }
      }
    });
  } else {
    for (int64_t s = 0; s < r.steps; ++s) {
      for (int64_t i = 0; i < sequences; ++i) round_state(r, i / r.batches, i % r.batches, s);
      for (int phase = 0; phase < r.cell.phases; ++phase)
        pool.parallel_for(tasks, 1,
                          [&](int64_t begin, int64_t end) { step_blocks(r, s, phase, begin, end, 0, r.batches); });
    }
  }
  for (int64_t d = 0; d < r.directions; ++d)
    for (int64_t n = 0; n < r.batches; ++n) finish_sequence(r, d, n);
}

// --- kernels

// Operands and results as kernels/recurrent.h lists them; `extra`: rows of operand 2, 0: it must be absent.
void check_recurrence(const KernelArgs& args, const Cell& cell, int64_t extra, size_t results) {
  const Operands o(args, 2, 6, 0, results);
  require(!args.outputs.empty(), "no result; 1 to {} are accepted", results);
  require(extra > 0 || !args.has_input(2), "operand 2 is given; it has none");
  require(results == 3 || !args.has_input(5), "operand 5 is given; it has none");
  const auto& attrs = args.as<RecurrentStepAttrs>();
  require(results == 3 || attrs.state_in_bytes == 0, "state_in_bytes={}; 0 is accepted", attrs.state_in_bytes);
  const Slot sums = o.in(0).rank(3, 3).adjacent(2), weights = o.in(1).rank(4, 4);
  const int64_t steps = sums.extent(0), batches = sums.extent(1), directions = weights.extent(0),
                depth = weights.extent(2), hidden = attrs.hidden;
  cell.phases == 1 && is_paired(cell.gates * kBlockUnits) ? weights.is(kFloatTypes) : weights.is({DataType::f32});
  require(hidden >= 0 && depth == (lies_half(weights.view().dtype) ? align_up(hidden, 2) : hidden) && directions >= 1 &&
              directions <= 2,
          "weights of {} directions of {} units for {}", directions, depth, hidden);
  const int64_t blocks = unit_blocks(hidden), columns = cell.gates * kBlockUnits;
  for (size_t i : {0, 2, 4, 5}) o.in(i).is({DataType::f32});
  sums.shape({steps, batches, directions * blocks * columns});
  weights.shape({directions, blocks, depth, columns}).dense();
  o.in(2).shape({directions, extra, blocks * kBlockUnits}).dense();
  o.in(3).integers().shape({batches});
  for (size_t i : {4, 5}) o.in(i).shape({directions, batches, hidden});
  for (size_t i = 0; i < results; ++i) o.out(i).is({DataType::f32});
  o.out(0).shape({steps, directions, batches, hidden});
  for (size_t i = 1; i < results; ++i) o.out(i).shape({directions, batches, hidden});
}

template <Cell (*cell)(const RecurrentStepAttrs&), int64_t extra, size_t results>
void add_recurrence(KernelTable& table, const char* name) {
  table.add(make_kernel<RecurrentStepAttrs>(
      name, [](const KernelArgs& args) { check_recurrence(args, cell(args.as<RecurrentStepAttrs>()), extra, results); },
      [](const KernelArgs& args) { run_recurrence(Recurrence(args, cell(args.as<RecurrentStepAttrs>()))); },
      [](const KernelArgs& args) {
        const auto& attrs = args.as<RecurrentStepAttrs>();
        return args.inputs[1].dims[0] * args.inputs[0].dims[1] * cell(attrs).states * unit_blocks(attrs.hidden) *
               kBlockUnits * 4;
      }));
}

}  // namespace

void register_recurrent(KernelTable& table) {
  add_recurrence<lstm_cell, 3, 3>(table, "lstm.recurrent");
  add_recurrence<gru_cell, 1, 2>(table, "gru.recurrent");
  add_recurrence<rnn_cell, 0, 2>(table, "rnn.recurrent");
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
