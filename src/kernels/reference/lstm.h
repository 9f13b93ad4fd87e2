#pragma once
// Attributes of recurrent operators.

#include <cstdint>
#include <string>
#include <vector>

namespace planish {

struct LstmAttrs {
  std::vector<double> activation_alpha, activation_beta;
  std::vector<std::string> activations;
  double clip = 0;
  std::string direction = "forward";
  int64_t hidden_size = 0, input_forget = 0, layout = 0;
  int64_t state_in_bytes = 0;  // 1: a step sees h in 8 bits, with scale and zero point of this sequence's h
  template <class V>
  void fields(V& v) {
    v("activation_alpha", activation_alpha);
    v("activation_beta", activation_beta);
    v("activations", activations);
    v("clip", clip);
    v("direction", direction);
    v("hidden_size", hidden_size);
    v("input_forget", input_forget);
    v("layout", layout);
    v("state_in_bytes", state_in_bytes);
  }
};

}  // namespace planish
