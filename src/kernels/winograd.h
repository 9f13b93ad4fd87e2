#pragma once
// Winograd's convolution F(m x m, 3 x 3): an m x m tile of the result from an n x n tile of the input, n = m + 2,
//   Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
// takes n² multiplications a pair of channels instead of 9 m²: 2.25 times fewer for m = 2, 4 times fewer for m = 4.
// The transforms are polynomial evaluation at n - 1 points and infinity; those of m = 4, 0 ±√½ ±√2 ∞, keep rounding
// errors four times below those of 0 ±1 ±2 ∞ at the same cost.
//
// G is applied to the weights when the plan is written, in double; B and A are in kernels/cpu/common/winograd.h.

#include <array>
#include <cstdint>

#include "kernels/gemm.h"

namespace planish::winograd {

// GemmAttrs::row_blocks counts blocks of so many tiles, at every level.
constexpr int64_t kChunkRows = 6;

// Of volumes: most planes that reach one of the result, and what channels are a multiple of.
constexpr int64_t kMostPlanes = 16, kVolumeLine = 16;

// Whether the last two axes of a convolution of planes or volumes are for Winograd.
inline bool is_plane_of_three(const GemmAttrs& conv) {
  const size_t axes = conv.kernel.size();
  bool three = axes == 2 || axes == 3;
  for (size_t i = three ? axes - 2 : axes; i < axes; ++i)
    three = three && conv.kernel[i] == 3 && conv.strides[i] == 1 && conv.dilations[i] == 1;
  return three;
}

template <int kOut>
constexpr int kIn = kOut + 2;

template <int kOut>
using WeightTransform = std::array<std::array<double, 3>, kIn<kOut>>;

// Points 0, 1, -1, infinity: exact for weights that are multiples of four.
constexpr WeightTransform<2> kG2 = {{{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}}};

constexpr double kRoot2 = 1.41421356237309504880;
constexpr WeightTransform<4> kG4 = {{{1, 0, 0},
                                     {-2. / 3, -kRoot2 / 3, -1. / 3},
                                     {-2. / 3, kRoot2 / 3, -1. / 3},
                                     {1. / 6, kRoot2 / 6, 1. / 3},
                                     {1. / 6, -kRoot2 / 6, 1. / 3},
                                     {0, 0, 1}}};

}  // namespace planish::winograd
