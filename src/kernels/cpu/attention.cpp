// Attention, some rows of a head at a time:
//   S = scale Q K + masks;   e = exp(S - max of the row);   Y = (e V) / sum of the row
// Keys and values of the head are packed once by each part of the work that has rows of it; scores of a block of rows
// stay in cache and never leave it. Rows are independent: how they are shared out does not change results.
// Queries, keys, values and the result lie in memory as f32 or bf16.

#include "kernels/reference/attention.h"

#include "base/checked.h"
#include "kernels/attention.h"
#include "kernels/cpu/common/half.h"
#include "kernels/cpu/common/micro.h"
#include "kernels/cpu/common/softmax_row.h"
#include "kernels/cpu/common/walk.h"
#include "kernels/gemm.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

constexpr int64_t kMostScores = 8192;  // floats of a block: with a panel of values they fit into the second-level cache
constexpr int64_t kBlockUnit = 12;     // rows; a multiple of the microkernel's at every level
constexpr int64_t kMostBlockRows = 48;

int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

// Extents, and the floats of each part of one slot's scratch: the same at every level, so that a plan for another level
// than this one can be laid out.
struct AttentionShape {
  int64_t heads, rows, depth, keys, values, block, blocks;
  int64_t key_floats, value_floats, query_floats, row_floats, scratch;
};

AttentionShape attention_shape(const KernelArgs& args, const TensorView& y) {
  const auto last = [](const TensorView& view, size_t back) {
    return view.dims[static_cast<size_t>(view.rank) - back];
  };
  AttentionShape s{};
  s.heads = 1;
  for (int64_t extent : y.extents().subspan(0, static_cast<size_t>(y.rank) - 2)) s.heads = checked_mul(s.heads, extent);
  s.rows = last(y, 2);
  s.values = last(y, 1);
  s.depth = last(args.inputs[0], 1);
  s.keys = last(args.inputs[1], 1);
  s.row_floats = round_up(s.keys, kWidestPanel);
  s.block = std::clamp(kMostScores / std::max<int64_t>(s.row_floats, 1) / kBlockUnit * kBlockUnit, kBlockUnit,
                       std::min(kMostBlockRows, round_up(std::max<int64_t>(s.rows, 1), kBlockUnit)));
  s.blocks = (s.rows + s.block - 1) / s.block;
  s.key_floats = checked_mul(s.row_floats, s.depth);
  s.value_floats = checked_mul(round_up(s.values, kWidestPanel), s.keys);
  s.query_floats = round_up(checked_mul(s.block, std::max(s.depth, s.values)), kWidestPanel);
  s.scratch = checked_add(checked_add(s.key_floats, s.value_floats),
                          checked_add(s.query_floats, checked_mul(s.block, s.row_floats)));
  return s;
}

// A stack of matrices: the first of each head is found by the batch axes of the result.
struct HeadStack {
  Elements elements;
  RowStrides batch{};
  int64_t row = 0, column = 0;
  Elements head(const RowWalk& walk) const { return elements.at(walk.offset(batch)); }
};

template <class T>
const T* as_elements(const Elements& elements) {
  return reinterpret_cast<const T*>(elements.data);
}

// fn(pointer) to elements of their type.
template <class Fn>
void with_elements(const Elements& elements, const Fn& fn) {
  elements.is_half() ? fn(as_elements<BFloat16>(elements)) : fn(as_elements<float>(elements));
}

// `extents`: the batch axes of the result, then two of its own.
HeadStack head_stack(const TensorView& view, std::span<const int64_t> extents) {
  HeadStack stack;
  const auto strides = broadcast_strides(view, extents);
  stack.elements = elements_of(view);
  std::copy_n(strides.begin(), extents.size() - 2, stack.batch.begin());
  stack.row = strides[extents.size() - 2];
  stack.column = strides[extents.size() - 1];
  return stack;
}

// B [depth, width] -> panels [depth][kPanel], zero padded.
template <class T>
void pack_rows(const T* from, int64_t row, int64_t column, int64_t depth, int64_t columns, float* to) {
  for (int64_t begin = 0; begin < columns; begin += kPanel, from += kPanel * column) {
    const int64_t width = std::min<int64_t>(kPanel, columns - begin);
    if (width < kPanel) std::fill_n(to, depth * kPanel, 0.f);
    if (column == 1)
      for (int64_t i = 0; i < depth; ++i)
        for (int64_t j = 0; j < width; ++j) to[i * kPanel + j] = float_of(from[i * row + j]);
    else
      for (int64_t j = 0; j < width; ++j)
        for (int64_t i = 0; i < depth; ++i) to[i * kPanel + j] = float_of(from[j * column + i * row]);
    to += depth * kPanel;
  }
}

// A [count, depth] dense times packed B -> rows of `to`, `pitch` apart. `padded`: whole panels are written.
void multiply_rows(const float* a, int64_t count, int64_t depth, const float* packed, int64_t columns, bool padded,
                   float* to, int64_t pitch, int64_t a_pitch) {
  alignas(64) static constexpr float kZero[kPanel] = {};
  TileEnd end;
  end.low = -INFINITY;
  end.high = INFINITY;
  for (int64_t begin = 0; begin < columns; begin += kPanel, packed += depth * kPanel) {
    const int width = static_cast<int>(std::min<int64_t>(kPanel, columns - begin));
    end.width = padded ? (width <= kPanel / 2 && Vec::kWidth > 1 ? kPanel / 2 : kPanel) : width;
    for (int64_t m = 0; m < count; m += kRows) {
      const int height = static_cast<int>(std::min<int64_t>(kRows, count - m));
      const float* rows[kRows];
      for (int r = 0; r < height; ++r) {
        rows[r] = a + (m + r) * a_pitch;
        end.out[r] = to + (m + r) * pitch + begin;
      }
      tile_function(height, end.width)({.rows = rows,
                                        .channels = depth,
                                        .b = packed,
                                        .init = kZero,
                                        .ahead = reinterpret_cast<const std::byte*>(packed)},
                                       end);
    }
  }
}

void add_mask(const float* mask, int64_t step, int64_t n, float* scores) {
  if (step == 1)
    for (int64_t i = 0; i < n; ++i) scores[i] += mask[i];
  else
    for (int64_t i = 0; i < n; ++i) scores[i] += mask[i * step];
}

class AttentionRun {
 public:
  explicit AttentionRun(const KernelArgs& args)
      : params_(args.as<AttentionKernelAttrs>()),
        y_(reference::heads_first(args.outputs[0], params_.rows_first != 0)),
        shape_(attention_shape(args, y_)) {
    std::array<int64_t, kMaxRank> dims = y_.dims;
    const auto rank = static_cast<size_t>(y_.rank);
    const auto stack = [&](const TensorView& view, int64_t rows, int64_t columns) {
      dims[rank - 2] = rows;
      dims[rank - 1] = columns;
      return head_stack(view, {dims.data(), rank});
    };
    query_ = stack(args.inputs[0], shape_.rows, shape_.depth);
    key_ = stack(args.inputs[1], shape_.depth, shape_.keys);
    value_ = stack(args.inputs[2], shape_.keys, shape_.values);
    for (size_t i = 0; i < kAttentionMasks; ++i)
      if (args.has_input(3 + i)) masks_[mask_count_++] = stack(args.inputs[3 + i], shape_.rows, shape_.keys);
    result_ = stack(y_, shape_.rows, shape_.values);
    walk_.axes = y_.rank - 2;
    walk_.dims = y_.dims;
  }

  int64_t tasks() const { return shape_.heads * shape_.blocks; }

  // Blocks of rows [begin, end) of all heads', with scratch of its own.
  void run(int64_t begin, int64_t end, float* scratch) const {
    float* const keys = scratch;
    float* const values = keys + shape_.key_floats;
    float* const queries = values + shape_.value_floats;
    const std::byte *packed_key = nullptr, *packed_value = nullptr;
    RowWalk walk = walk_;
    for (int64_t task = begin; task < end; ++task) {
      walk.seek(task / shape_.blocks);
      if (const Elements key = key_.head(walk); key.data != packed_key) {
        with_elements(
            key, [&](const auto* from) { pack_rows(from, key_.row, key_.column, shape_.depth, shape_.keys, keys); });
        packed_key = key.data;
      }
      if (const Elements value = value_.head(walk); value.data != packed_value) {
        with_elements(value, [&](const auto* from) {
          pack_rows(from, value_.row, value_.column, shape_.keys, shape_.values, values);
        });
        packed_value = value.data;
      }
      run_block(walk, task % shape_.blocks * shape_.block, keys, values, queries, queries + shape_.query_floats);
    }
  }

 private:
  void run_block(const RowWalk& walk, int64_t first, const float* keys, const float* values, float* queries,
                 float* scores) const {
    const int64_t count = std::min(shape_.block, shape_.rows - first), pitch = shape_.row_floats;
    with_elements(query_.head(walk).at(first * query_.row),
                  [&](const auto* from) { copy_queries(from, count, queries); });
    multiply_rows(queries, count, shape_.depth, keys, shape_.keys, true, scores, pitch, shape_.depth);
    float sums[kMostBlockRows];
    for (int64_t r = 0; r < count; ++r) {
      float* const row = scores + r * pitch;
      for (size_t i = 0; i < mask_count_; ++i)
        add_mask(as_elements<float>(masks_[i].head(walk)) + (first + r) * masks_[i].row, masks_[i].column, shape_.keys,
                 row);
      sums[r] = static_cast<float>(1 / row_exp(row, row_max(row, shape_.keys), shape_.keys, row));
    }
    const Elements out = result_.head(walk).at(first * result_.row);
    const bool half = out.is_half();  // then by way of what the queries have no need of any more
    float* const to = half ? queries : reinterpret_cast<float*>(out.data);
    const int64_t row = half ? shape_.values : result_.row;
    multiply_rows(scores, count, shape_.keys, values, shape_.values, false, to, row, pitch);
    for (int64_t r = 0; r < count; ++r)
      for (int64_t i = 0; i < shape_.values; ++i) to[r * row + i] *= sums[r];
    if (!half) return;
    for (int64_t r = 0; r < count; ++r)
      for (int64_t i = 0; i < shape_.values; i += Vec::kWidth) {
        const int n = static_cast<int>(std::min<int64_t>(Vec::kWidth, shape_.values - i));
        store_some<true>(store_, Vec::load_part(to + r * row + i, n), out, r * result_.row + i, n);
      }
  }

  template <class T>
  void copy_queries(const T* from, int64_t count, float* to) const {
    const auto scale = static_cast<float>(params_.scale);
    for (int64_t r = 0; r < count; ++r, from += query_.row, to += shape_.depth)
      for (int64_t i = 0; i < shape_.depth; ++i) to[i] = float_of(from[i * query_.column]) * scale;
  }

  const AttentionKernelAttrs& params_;
  TensorView y_;
  AttentionShape shape_;
  HeadStack query_, key_, value_, result_;
  std::array<HeadStack, kAttentionMasks> masks_;
  size_t mask_count_ = 0;
  RowWalk walk_;
  HalfStore store_;
};

// As the reference kernel's, masks of fp32, some keys, and the columns of the result adjacent.
void check_attention(const KernelArgs& args) {
  const auto& params = args.as<AttentionKernelAttrs>();
  reference::check_attention(args, params.rows_first != 0);
  const Operands o(args, 3, 3 + kAttentionMasks);
  for (size_t i = 0; i < 3; ++i) o.in(i).is(kFloatTypes);
  for (size_t i = 3; i < 3 + kAttentionMasks; ++i) o.in(i).is({DataType::f32});
  o.out().is(kFloatTypes).adjacent(-1);
  require(params.slots >= 1 && params.slots <= kMostAttentionSlots, "{} slots, 1 to {} are accepted", params.slots,
          kMostAttentionSlots);
  require(o.in(1).extent(-1) > 0, "no keys");
}

void run_attention(const KernelArgs& args) {
  if (args.outputs[0].element_count() == 0) return;
  const AttentionRun run(args);
  const int64_t tasks = run.tasks(), slots = std::min(args.as<AttentionKernelAttrs>().slots, tasks);
  const TensorView y = reference::heads_first(args.outputs[0], args.as<AttentionKernelAttrs>().rows_first != 0);
  const int64_t scratch = attention_shape(args, y).scratch;
  args.pool->parallel_for(slots, 1, [&](int64_t begin, int64_t end) {
    for (int64_t slot = begin; slot < end; ++slot)
      run.run(tasks * slot / slots, tasks * (slot + 1) / slots,
              reinterpret_cast<float*>(args.workspace) + slot * scratch);
  });
}

int64_t attention_workspace(const KernelArgs& args) {
  const auto& params = args.as<AttentionKernelAttrs>();
  const TensorView y = reference::heads_first(args.outputs[0], params.rows_first != 0);
  return checked_mul(params.slots, checked_mul(attention_shape(args, y).scratch, 4));
}

}  // namespace

void register_attention(KernelTable& table) {
  table.add(make_kernel<AttentionKernelAttrs>("attention", check_attention, run_attention, attention_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
