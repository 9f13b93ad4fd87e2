// A matrix S [key, value] of each head is carried along the sequence:
//   S = exp(g) S (gated)   u = v, or beta (v - S' k) (delta)   S = S + k u'   o = scale S' q
// with g a number for each key element or one for all; each S serves q_num_heads / kv_num_heads queries.

#include "kernels/reference/linear_attention.h"

#include <cmath>

#include "kernels/check.h"

namespace planish::kernels::reference {
namespace {

enum LinearOperand : size_t { kQuery, kKey, kValue, kPastState, kDecay, kBeta };

// Element i of a row [batch, step, :].
double row_element(const TensorView& view, int64_t batch, int64_t step, int64_t i) {
  return load_double(view, batch * view.strides[0] + step * view.strides[1] + i * view.strides[2]);
}

class CarriedState {
 public:
  CarriedState(const KernelArgs& args, int64_t batch, int64_t head)
      : args_(args),
        attrs_(args.as<LinearAttentionAttrs>()),
        batch_(batch),
        head_(head),
        keys_(args.inputs[kKey].dims[2] / attrs_.kv_num_heads),
        values_(args.inputs[kValue].dims[2] / attrs_.kv_num_heads),
        state_(static_cast<size_t>(keys_ * values_)),
        update_(static_cast<size_t>(values_)) {
    scale_ = attrs_.scale != 0 ? attrs_.scale : 1 / std::sqrt(static_cast<double>(keys_));
    if (args.has_input(kPastState)) exchange(args.inputs[kPastState], [](double& own, double other) { own = other; });
  }

  void run() {
    for (int64_t step = 0; step < args_.inputs[kQuery].dims[1]; ++step) {
      if (attrs_.gated()) decay(step);
      add(step);
      const int64_t group = attrs_.q_num_heads / attrs_.kv_num_heads;
      if (args_.has_output(0))
        for (int64_t i = 0; i < group; ++i) answer(step, head_ * group + i);
    }
    if (args_.has_output(1)) store_state(args_.outputs[1]);
  }

 private:
  double& at(int64_t key, int64_t value) { return state_[static_cast<size_t>(key * values_ + value)]; }

  template <class Body>
  void for_state(const TensorView& view, Body body) {
    const int64_t base = batch_ * view.strides[0] + head_ * view.strides[1];
    for (int64_t k = 0; k < keys_; ++k)
      for (int64_t v = 0; v < values_; ++v) body(base + k * view.strides[2] + v * view.strides[3], at(k, v));
  }
  template <class Take>
  void exchange(const TensorView& view, Take take) {
    for_state(view, [&](int64_t offset, double& own) { take(own, load_double(view, offset)); });
  }
  void store_state(const TensorView& view) {
    for_state(view, [&](int64_t offset, double& own) { store_double(view, offset, own); });
  }

  void decay(int64_t step) {
    const TensorView& g = args_.inputs[kDecay];
    const bool by_head = g.dims[2] == attrs_.kv_num_heads;
    for (int64_t k = 0; k < keys_; ++k) {
      const double factor = std::exp(row_element(g, batch_, step, by_head ? head_ : head_ * keys_ + k));
      for (int64_t v = 0; v < values_; ++v) at(k, v) *= factor;
    }
  }

  double key(int64_t step, int64_t k) const { return row_element(args_.inputs[kKey], batch_, step, head_ * keys_ + k); }

  void add(int64_t step) {
    for (int64_t v = 0; v < values_; ++v) {
      double u = row_element(args_.inputs[kValue], batch_, step, head_ * values_ + v);
      if (attrs_.delta()) {
        for (int64_t k = 0; k < keys_; ++k) u -= at(k, v) * key(step, k);
        const TensorView& beta = args_.inputs[kBeta];
        u *= row_element(beta, batch_, step, beta.dims[2] == 1 ? 0 : head_);
      }
      update_[static_cast<size_t>(v)] = u;
    }
    for (int64_t k = 0; k < keys_; ++k)
      for (int64_t v = 0; v < values_; ++v) at(k, v) += key(step, k) * update_[static_cast<size_t>(v)];
  }

  void answer(int64_t step, int64_t query_head) {
    const TensorView& y = args_.outputs[0];
    for (int64_t v = 0; v < values_; ++v) {
      double sum = 0;
      for (int64_t k = 0; k < keys_; ++k)
        sum += at(k, v) * row_element(args_.inputs[kQuery], batch_, step, query_head * keys_ + k);
      store_double(y, batch_ * y.strides[0] + step * y.strides[1] + (query_head * values_ + v) * y.strides[2],
                   scale_ * sum);
    }
  }

  const KernelArgs& args_;
  const LinearAttentionAttrs& attrs_;
  int64_t batch_, head_, keys_, values_;
  double scale_ = 1;
  std::vector<double> state_, update_;
};

// Q [B, T, Hq K], K [B, T, H K], V [B, T, H V], past state? [B, H, K, V], decay? [B, T, H K or H], beta? [B, T, H or 1]
// -> Y? [B, T, Hq V], state? [B, H, K, V]
void check_linear_attention(const KernelArgs& args) {
  const Operands o(args, 3, 6, 0, 2);
  const auto& attrs = args.as<LinearAttentionAttrs>();
  const int64_t heads = attrs.kv_num_heads, queries = attrs.q_num_heads;
  require(heads > 0 && queries > 0 && queries % heads == 0, "{} heads of queries for {} of keys", queries, heads);
  const Slot q = o.in(kQuery).rank(3, 3), k = o.in(kKey).rank(3, 3), v = o.in(kValue).rank(3, 3);
  const int64_t batch = q.extent(0), steps = q.extent(1), keys = k.extent(2) / heads, values = v.extent(2) / heads;
  q.shape({batch, steps, queries * keys});
  k.shape({batch, steps, heads * keys});
  v.shape({batch, steps, heads * values});
  o.in(kPastState).shape({batch, heads, keys, values});
  require(o.in(kDecay).present() || !attrs.gated(), "no decay for the rule '{}'", attrs.update_rule);
  require(o.in(kBeta).present() || !attrs.delta(), "no beta for the rule '{}'", attrs.update_rule);
  o.in(kDecay).shape({batch, steps, o.in(kDecay).extent(2) == heads ? heads : heads * keys});
  o.in(kBeta).shape({batch, steps, o.in(kBeta).extent(2) == 1 ? 1 : heads});
  o.out(0).shape({batch, steps, queries * values});
  o.out(1).shape({batch, heads, keys, values});
}

void run_linear_attention(const KernelArgs& args) {
  const int64_t heads = args.as<LinearAttentionAttrs>().kv_num_heads;
  args.pool->parallel_for(args.inputs[kQuery].dims[0] * heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) CarriedState(args, i / heads, i % heads).run();
  });
}

}  // namespace

void register_linear_attention(KernelTable& table) {
  table.add(make_kernel<LinearAttentionAttrs>("linear_attention", check_linear_attention, run_linear_attention));
}

}  // namespace planish::kernels::reference
