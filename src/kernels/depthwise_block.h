#pragma once
// "depthwise_block": the convolutions around a depthwise one as one step, shared by the kernels of every level and by
// the tactic. Between x and y the hidden channels never leave the cache:
//   h = end_0(expand x + bias)        1x1, or x itself
//   d = end_1(depthwise h + bias)
//   y = end_2(project d + bias) + residual, clamped       1x1, or d itself
// Operands: x; with expand its weights and bias; depthwise weights and bias; with project its weights and bias;
// residual. Hidden channels come in slices of kSlice, the last one of each part shorter. Weights, zero padded:
//   expand     [slice][panel of a slice][C][panel_width]     bias [slice][kSlice]
//   depthwise  [slice][tap][kSlice]                          bias [slice][kSlice]
//   project    [panel][hidden][panel_width]                  bias [M]
//
// "depthwise_block.bf16": the same on products of bf16; x, y and the residual lie as f32 or bf16. Weights are those of
// the kernels by themselves, kernels/mma.h and kernels/half_depthwise.h, and biases [hidden], [hidden] and [M].

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/gemm.h"

namespace planish {

struct DepthwiseBlockAttrs {
  int64_t hidden = 0, expands = 0, projects = 0;
  int64_t residual = 0;  // the last operand is added before y is clamped; only with project
  // The work of as many threads: rows of the result, or (by_channels, of fp32 with project) hidden channels, whose sums
  // meet.
  int64_t parts = 1, by_channels = 0;
  int64_t rows = 0;  // of the result at once; 0: all of a part's
  std::vector<int64_t> kernel, strides, pads;
  // Ends of the three: an activation's program, or empty; whether it is clamped, and how.
  std::vector<std::string> programs;
  std::vector<int64_t> clamped;
  std::vector<double> lows, highs;
  template <class V>
  void fields(V& v) {
    v("hidden", hidden);
    v("expands", expands);
    v("projects", projects);
    v("residual", residual);
    v("parts", parts);
    v("by_channels", by_channels);
    v("rows", rows);
    v("kernel", kernel);
    v("strides", strides);
    v("pads", pads);
    v("programs", programs);
    v("clamped", clamped);
    v("lows", lows);
    v("highs", highs);
  }
};

// How hidden channels are cut.
class HiddenSlices {
 public:
  static constexpr int64_t kSlice = 64, kUnit = 16;
  static_assert(kSlice == kWidestPanel);
  struct Range {
    int64_t begin, end;
    int64_t size() const { return end - begin; }
  };

  explicit HiddenSlices(const DepthwiseBlockAttrs& a)
      : hidden_(a.hidden), parts_(a.by_channels != 0 ? std::max<int64_t>(a.parts, 1) : 1) {}

  // Slices of a part, and the channels of one of them.
  Range part(int64_t p) const { return {first_slice(p), first_slice(p + 1)}; }
  int64_t count() const { return first_slice(parts_); }
  Range channels(int64_t part, int64_t slice) const {
    const int64_t begin = first_channel(part) + (slice - first_slice(part)) * kSlice;
    return {begin, std::min(begin + kSlice, first_channel(part + 1))};
  }
  // visit(slice, channels) for all.
  template <class Visit>
  void each(Visit visit) const {
    for (int64_t p = 0; p < parts_; ++p)
      for (int64_t s = part(p).begin; s < part(p).end; ++s) visit(s, channels(p, s));
  }

 private:
  int64_t first_channel(int64_t part) const {
    const int64_t units = (hidden_ + kUnit - 1) / kUnit;
    return std::min(units * part / parts_ * kUnit, hidden_);
  }
  int64_t first_slice(int64_t part) const {
    int64_t slices = 0;
    for (int64_t p = 0; p < part; ++p) slices += (first_channel(p + 1) - first_channel(p) + kSlice - 1) / kSlice;
    return slices;
  }
  int64_t hidden_, parts_;
};

}  // namespace planish
