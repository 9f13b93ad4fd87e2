// y[m, :] = sum over n of softmax over n (scale * (q[m, :] . k[:, n]) + masks[m, n]) * v[n, :]

#include "kernels/reference/attention.h"

#include <cmath>
#include <utility>

namespace planish::kernels::reference {
namespace {

// A stack of matrices inside a view, with the batch axes of the result.
struct Stack {
  const TensorView* view;
  std::array<int64_t, kMaxRank> batch;
  int64_t row, column;
};

Stack stack_of(const TensorView& view, std::span<const int64_t> batch) {
  const auto rank = static_cast<size_t>(view.rank);
  TensorView outer = view;
  outer.rank -= 2;
  return {&view, broadcast_strides(outer, batch), view.strides[rank - 2], view.strides[rank - 1]};
}

class AttentionRows {
 public:
  explicit AttentionRows(const KernelArgs& args)
      : args_(args), y_(heads_first(args.outputs[0], args.as<AttentionAttrs>().rows_first != 0)) {
    const auto rank = static_cast<size_t>(y_.rank);
    batch_ = y_.extents().subspan(0, rank - 2);
    q_ = stack_of(args.inputs[0], batch_);
    k_ = stack_of(args.inputs[1], batch_);
    v_ = stack_of(args.inputs[2], batch_);
    rows_ = y_.dims[rank - 2];
    columns_ = y_.dims[rank - 1];
    depth_ = args.inputs[0].dims[static_cast<size_t>(args.inputs[0].rank) - 1];
    keys_ = args.inputs[1].dims[static_cast<size_t>(args.inputs[1].rank) - 1];
    std::vector<int64_t> scores(y_.extents().begin(), y_.extents().end());
    scores.back() = keys_;
    for (size_t i = 0; i < kAttentionMasks; ++i)
      if (args.has_input(3 + i)) masks_[i] = broadcast_strides(args.inputs[3 + i], scores);
    weights_.resize(static_cast<size_t>(keys_));
  }

  void run() {
    for (Odometer<4> at(batch_, {q_.batch, k_.batch, v_.batch, y_.strides}); at.valid(); at.next())
      for (int64_t m = 0; m < rows_; ++m) run_row(at, m);
  }

 private:
  double score(const Odometer<4>& at, int64_t m, int64_t n) const {
    double sum = 0;
    for (int64_t i = 0; i < depth_; ++i)
      sum += load_double(*q_.view, at.offset[0] + m * q_.row + i * q_.column) *
             load_double(*k_.view, at.offset[1] + i * k_.row + n * k_.column);
    sum *= args_.as<AttentionAttrs>().scale;
    for (size_t i = 0; i < kAttentionMasks; ++i) {
      if (!args_.has_input(3 + i)) continue;
      const size_t rank = batch_.size();
      int64_t offset = m * masks_[i][rank] + n * masks_[i][rank + 1];
      for (size_t axis = 0; axis < rank; ++axis) offset += at.index[axis] * masks_[i][axis];
      sum += load_double(args_.inputs[3 + i], offset);
    }
    return sum;
  }

  void run_row(const Odometer<4>& at, int64_t m) {
    double largest = -INFINITY, sum = 0;
    for (int64_t n = 0; n < keys_; ++n) {
      weights_[static_cast<size_t>(n)] = score(at, m, n);
      largest = std::max(largest, weights_[static_cast<size_t>(n)]);
    }
    for (double& weight : weights_) sum += weight = std::exp(weight - largest);
    const auto rank = batch_.size();
    for (int64_t p = 0; p < columns_; ++p) {
      double value = 0;
      for (int64_t n = 0; n < keys_; ++n)
        value += weights_[static_cast<size_t>(n)] * load_double(*v_.view, at.offset[2] + n * v_.row + p * v_.column);
      store_double(y_, at.offset[3] + m * y_.strides[rank] + p * y_.strides[rank + 1], keys_ == 0 ? 0 : value / sum);
    }
  }

  const KernelArgs& args_;
  TensorView y_;
  std::span<const int64_t> batch_;
  Stack q_{}, k_{}, v_{};
  int64_t rows_ = 0, columns_ = 0, depth_ = 0, keys_ = 0;
  std::array<std::array<int64_t, kMaxRank>, kAttentionMasks> masks_{};
  std::vector<double> weights_;
};

void check_reference(const KernelArgs& args) { check_attention(args, args.as<AttentionAttrs>().rows_first != 0); }

void run_attention(const KernelArgs& args) {
  if (args.outputs[0].element_count() != 0) AttentionRows(args).run();
}

}  // namespace

TensorView heads_first(TensorView result, bool rows_first) {
  if (!rows_first) return result;
  const auto rank = static_cast<size_t>(result.rank);
  std::swap(result.dims[rank - 3], result.dims[rank - 2]);
  std::swap(result.strides[rank - 3], result.strides[rank - 2]);
  return result;
}

void check_attention(const KernelArgs& args, bool rows_first) {
  const Operands o(args, 3, 3 + kAttentionMasks);
  const int least = rows_first ? 3 : 2;
  for (size_t i = 0; i < 3; ++i) o.in(i).rank(2, kMaxRank);
  const TensorView y = heads_first(o.out().rank(least, kMaxRank).view(), rows_first);
  const Slot q = o.in(0), k = o.in(1), v = o.in(2), result(y, 0, true);
  require(q.extent(-1) == k.extent(-2) && k.extent(-1) == v.extent(-2),
          "queries of {} for keys of {}, {} keys for {} values", q.extent(-1), k.extent(-2), k.extent(-1),
          v.extent(-2));
  require(result.extent(-2) == q.extent(-2) && result.extent(-1) == v.extent(-1),
          "a result of {} by {} for {} rows of {}", result.extent(-2), result.extent(-1), q.extent(-2), v.extent(-1));
  std::vector<int64_t> dims(y.extents().begin(), y.extents().end());
  const auto spreads = [&](const Slot& slot, int64_t rows, int64_t columns) {
    dims[dims.size() - 2] = rows;
    dims[dims.size() - 1] = columns;
    slot.spreads_over(dims).rank(0, y.rank);
  };
  spreads(q, q.extent(-2), q.extent(-1));
  spreads(k, k.extent(-2), k.extent(-1));
  spreads(v, v.extent(-2), v.extent(-1));
  for (size_t i = 0; i < kAttentionMasks; ++i) spreads(o.in(3 + i), q.extent(-2), k.extent(-1));
}

void register_attention(KernelTable& table) {
  table.add(make_kernel<AttentionAttrs>("attention", check_reference, run_attention));
}

}  // namespace planish::kernels::reference
