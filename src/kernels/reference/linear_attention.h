#pragma once
// Attributes of linear_attention.

#include <cstdint>
#include <string>

namespace planish {

// scale 0: 1 / sqrt(size of a key)
struct LinearAttentionAttrs {
  int64_t q_num_heads = 0, kv_num_heads = 0;
  double scale = 0;
  std::string update_rule = "gated_delta";
  template <class V>
  void fields(V& v) {
    v("q_num_heads", q_num_heads);
    v("kv_num_heads", kv_num_heads);
    v("scale", scale);
    v("update_rule", update_rule);
  }
  bool gated() const { return update_rule == "gated" || update_rule == "gated_delta"; }
  bool delta() const { return update_rule == "delta" || update_rule == "gated_delta"; }
};

}  // namespace planish
