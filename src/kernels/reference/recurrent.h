#pragma once
// Attributes of gru and rnn.

#include <cstdint>
#include <string>
#include <vector>

namespace planish {

struct RecurrentAttrs {
  std::vector<double> activation_alpha, activation_beta;
  std::vector<std::string> activations;
  double clip = 0;
  std::string direction = "forward";
  int64_t hidden_size = 0, layout = 0, linear_before_reset = 0;
  template <class V>
  void fields(V& v) {
    v("activation_alpha", activation_alpha);
    v("activation_beta", activation_beta);
    v("activations", activations);
    v("clip", clip);
    v("direction", direction);
    v("hidden_size", hidden_size);
    v("layout", layout);
    v("linear_before_reset", linear_before_reset);
  }
};

}  // namespace planish
