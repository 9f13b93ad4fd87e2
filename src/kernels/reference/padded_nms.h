#pragma once
// Attributes of padded_nms.

#include <cstdint>

namespace planish {

struct PaddedNmsAttrs {
  double score_threshold = 0, iou_threshold = 0.5;
  int64_t inclusive = 0;        // 1: scores equal to the threshold are taken
  int64_t keep = 100;           // rows of the results
  int64_t most_per_class = -1;  // of a class that are kept; -1: any number
  int64_t candidates = -1;      // of a class, the best, that are looked at; -1: all
  int64_t background = -1;      // a class that is left out
  int64_t class_agnostic = 0;   // 1: boxes hide those of other classes
  int64_t pixels = 0;           // 1: a box reaches one unit beyond the difference of its corners
  int64_t empty_class = 0;      // of rows behind the last box
  template <class V>
  void fields(V& v) {
    v("score_threshold", score_threshold);
    v("iou_threshold", iou_threshold);
    v("inclusive", inclusive);
    v("keep", keep);
    v("most_per_class", most_per_class);
    v("candidates", candidates);
    v("background", background);
    v("class_agnostic", class_agnostic);
    v("pixels", pixels);
    v("empty_class", empty_class);
  }
};

}  // namespace planish
