#pragma once
// The window of an output pixel in an image, tap by tap in the order of the packed weights.

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/checked.h"
#include "kernels/check.h"
#include "kernels/cpu/common/walk.h"
#include "kernels/gemm.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int64_t kFewTaps = 8;

// n <= kFewTaps elements by a copy of known length: a loop would cost more than they do. False: there are more.
template <class T, int64_t... N>
bool copy_few(const T* from, int64_t n, T* to, std::integer_sequence<int64_t, N...>) {
  return ((n == N + 1 && std::memcpy(to, from, (N + 1) * sizeof(T)) != nullptr) || ...);
}

// The spatial axes are shifted to three. Strides are in elements.
template <class T>
struct Window {
  const T* x = nullptr;
  int spatial = 0;
  int64_t image = 0, channel = 1, channels = 0;  // strides of N and C; channels of a group
  std::array<int64_t, 3> extent{1, 1, 1}, step{}, kernel{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1}, pad{};

  bool one_tap = false;  // of every pixel, and it is inside

  // Whether output pixels are the pixels of the image.
  bool is_image() const {
    bool same = one_tap;
    for (size_t i = 0; i < 3; ++i) same = same && (stride[i] == 1 || extent[i] == 1);
    return same;
  }

  int64_t tap_count() const { return kernel[0] * kernel[1] * kernel[2]; }

  const T* only_tap(int64_t g, const RowWalk& walk) const {
    int64_t at = walk.at[0] * image + g * channels * channel;
    for (int i = 0; i < spatial; ++i) {
      const auto to = static_cast<size_t>(3 - spatial + i);
      at += walk.at[static_cast<size_t>(i + 1)] * stride[to] * step[to];
    }
    return x + at;
  }

  // The first position of an output pixel's window along each axis, which padding may have put outside.
  std::array<int64_t, 3> first_of(const RowWalk& walk) const {
    std::array<int64_t, 3> first{};
    for (int i = 0; i < spatial; ++i) {
      const auto to = static_cast<size_t>(3 - spatial + i);
      first[to] = walk.at[static_cast<size_t>(i + 1)] * stride[to] - pad[to];
    }
    return first;
  }

  // Whether all taps of a window are inside, and where the first of them lies.
  bool is_inside(const std::array<int64_t, 3>& first) const {
    bool inside = true;
    for (size_t i = 0; i < 3; ++i)
      inside = inside && first[i] >= 0 && first[i] + (kernel[i] - 1) * dilation[i] < extent[i];
    return inside;
  }
  const T* begin(int64_t g, int64_t n, const std::array<int64_t, 3>& first) const {
    return x + n * image + g * channels * channel + first[0] * step[0] + first[1] * step[1] + first[2] * step[2];
  }

  // Calls visit(tap, elements from the first one) for every tap in the order of the packed weights.
  template <class Visit>
  void offsets(Visit visit) const {
    int64_t tap = 0;
    for (int64_t kz = 0; kz < kernel[0]; ++kz)
      for (int64_t ky = 0; ky < kernel[1]; ++ky)
        for (int64_t kx = 0; kx < kernel[2]; ++kx)
          visit(tap++, kz * dilation[0] * step[0] + ky * dilation[1] * step[1] + kx * dilation[2] * step[2]);
  }

  // Calls visit(tap, data or null) for every tap in the order of the packed weights.
  template <class Visit>
  void taps(int64_t g, const RowWalk& walk, Visit visit) const {
    const std::array<int64_t, 3> first = first_of(walk);
    const T* const base = x + walk.at[0] * image + g * channels * channel;
    int64_t tap = 0;
    for (int64_t kz = 0; kz < kernel[0]; ++kz) {
      const int64_t z = first[0] + kz * dilation[0];
      for (int64_t ky = 0; ky < kernel[1]; ++ky) {
        const int64_t row = first[1] + ky * dilation[1];
        const bool inside = z >= 0 && z < extent[0] && row >= 0 && row < extent[1];
        const T* const line = base + z * step[0] + row * step[1];
        for (int64_t kx = 0; kx < kernel[2]; ++kx) {
          const int64_t column = first[2] + kx * dilation[2];
          visit(tap++, inside && column >= 0 && column < extent[2] ? line + column * step[2] : nullptr);
        }
      }
    }
  }

  // The elements of the window in the order [channel][tap], zeros where it lies outside.
  void lines(int64_t g, const RowWalk& walk, T* to) const {
    const std::array<int64_t, 3> first = first_of(walk);
    const int64_t base = walk.at[0] * image + g * channels * channel + first[2] * step[2];
    // Taps [begin, end) of a line are inside.
    const int64_t d = dilation[2], begin = std::min(kernel[2], first[2] < 0 ? (d - 1 - first[2]) / d : 0),
                  end = std::clamp((extent[2] - first[2] + d - 1) / d, begin, kernel[2]);
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t kz = 0; kz < kernel[0]; ++kz) {
        const int64_t z = first[0] + kz * dilation[0];
        for (int64_t ky = 0; ky < kernel[1]; ++ky, to += kernel[2]) {
          const int64_t row = first[1] + ky * dilation[1];
          if (z < 0 || z >= extent[0] || row < 0 || row >= extent[1])
            std::fill_n(to, kernel[2], T{});
          else
            line(base + c * channel + z * step[0] + row * step[1], begin, end, to);
        }
      }
  }

 private:
  // One line of the kernel, from x[at] on.
  void line(int64_t at, int64_t begin, int64_t end, T* to) const {
    const int64_t by = dilation[2] * step[2];
    const bool whole = begin == 0 && end == kernel[2] && by == 1;
    if (whole && copy_few(x + at, end, to, std::make_integer_sequence<int64_t, kFewTaps>())) return;
    for (int64_t k = 0; k < begin; ++k) to[k] = T{};
    for (int64_t k = begin; k < end; ++k) to[k] = x[at + k * by];
    for (int64_t k = end; k < kernel[2]; ++k) to[k] = T{};
  }
};

struct ConvReach {
  int64_t taps = 1, channels = 0;  // of a group
};

// X [N, C, spatial…] becomes Y [N, M, spatial…] by these windows and groups.
inline ConvReach check_conv_reach(const GemmAttrs& conv, const Slot& x, const Slot& y) {
  const auto rank = static_cast<int>(conv.kernel.size()) + 2;
  x.rank(rank, rank);
  y.rank(rank, rank);
  require(y.extent(0) == x.extent(0) && x.extent(1) % conv.group == 0 &&
              y.extent(1) == checked_mul(conv.group, conv.columns),
          "{} images of {} channels become {} of {} in {} groups of {}", x.extent(0), x.extent(1), y.extent(0),
          y.extent(1), conv.group, conv.columns);
  ConvReach reach{1, x.extent(1) / conv.group};
  for (size_t i = 0; i < conv.kernel.size(); ++i) {
    const auto axis = static_cast<int>(i) + 2;
    check_window({x.extent(axis), y.extent(axis), conv.kernel[i], conv.strides[i], conv.dilations[i], conv.pads[i],
                  x.view().strides[i + 2]});
    reach.taps = checked_mul(reach.taps, conv.kernel[i]);
  }
  return reach;
}

template <class T>
Window<T> window_of(const GemmAttrs& conv, const TensorView& x, const TensorView& y) {
  Window<T> window;
  window.one_tap = true;
  window.x = x.as<const T>();
  window.spatial = x.rank - 2;
  window.image = x.strides[0];
  window.channel = x.strides[1];
  window.channels = x.dims[1] / conv.group;
  for (size_t i = 0; i < conv.kernel.size(); ++i) {
    const size_t to = 3 - conv.kernel.size() + i;
    window.extent[to] = x.dims[i + 2];
    window.step[to] = x.strides[i + 2];
    window.kernel[to] = conv.kernel[i];
    window.stride[to] = conv.strides[i];
    window.dilation[to] = conv.dilations[i];
    window.pad[to] = conv.pads[i];
    window.one_tap = window.one_tap && conv.kernel[i] == 1 && conv.pads[i] == 0 &&
                     (y.dims[i + 2] - 1) * conv.strides[i] < x.dims[i + 2];
  }
  return window;
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
