#pragma once
// What the kernels of "depthwise_block" and "depthwise_block.bf16" share: parameters, contract, strips.

#include <algorithm>
#include <memory>

#include "base/checked.h"
#include "kernels/check.h"
#include "kernels/cpu/common/activation.h"
#include "kernels/depthwise_block.h"
#include "kernels/kernel.h"

namespace planish::kernels::cpu::PLANISH_ISA {

constexpr int64_t kMostParts = 1024;

// How sums become values: clamp(activation(sum)).
struct StageEnd {
  Activation form;
  float low = -INFINITY, high = INFINITY;
  const Activation* activation() const { return form.present() ? &form : nullptr; }
};

struct BlockParams {
  DepthwiseBlockAttrs attrs;
  GemmAttrs window;    // of the depthwise convolution
  GemmAttrs bordered;  // the same over lines that have their borders
  StageEnd expand, depthwise, project;
};

inline StageEnd decode_end(const DepthwiseBlockAttrs& a, size_t i) {
  StageEnd end;
  if (!a.programs[i].empty()) end.form = activation_of(PointwiseProgram::parse(a.programs[i]));
  if (end.form.present() == a.programs[i].empty() || end.form.adds)
    fail(Code::invalid_plan, "an end that is no activation of one operand");
  if (a.clamped[i] != 0) {
    end.low = static_cast<float>(a.lows[i]);
    end.high = static_cast<float>(a.highs[i]);
  }
  return end;
}

[[gnu::cold]] inline std::shared_ptr<const void> decode_block(const Attrs& attrs) {
  auto params = std::make_shared<BlockParams>();
  DepthwiseBlockAttrs& a = params->attrs = attrs_to<DepthwiseBlockAttrs>(attrs);
  constexpr size_t kStages = 3, kAxes = 2;
  if (a.programs.size() != kStages || a.clamped.size() != kStages || a.lows.size() != kStages ||
      a.highs.size() != kStages || a.kernel.size() != kAxes || a.strides.size() != kAxes || a.pads.size() != kAxes)
    fail(Code::invalid_plan, "damaged parameters of a depthwise block");
  params->window.kernel = a.kernel;
  params->window.strides = a.strides;
  params->window.pads = a.pads;
  params->window.dilations = {1, 1};
  params->bordered = params->window;
  params->bordered.pads[1] = 0;
  params->expand = decode_end(a, 0);
  params->depthwise = decode_end(a, 1);
  params->project = decode_end(a, 2);
  return params;
}

// X [N, C, H, W], weights and biases (kernels/depthwise_block.h), residual? -> Y [N, M, H', W']; channels adjacent.
// Types and extents of the weights are the kernel's own.
[[gnu::cold]] inline void check_block_form(const KernelArgs& args, std::initializer_list<DataType> stored) {
  const DepthwiseBlockAttrs& a = args.as<BlockParams>().attrs;
  require(a.parts >= 1 && a.parts <= kMostParts && a.rows >= 0 && a.hidden >= 1 && a.hidden <= (int64_t{1} << 24) &&
              (a.residual == 0 || a.projects != 0),
          "damaged parameters of a depthwise block");
  const size_t count = static_cast<size_t>(3 + (a.expands != 0 ? 2 : 0) + (a.projects != 0 ? 2 : 0) + a.residual);
  const Operands o(args, count, count);
  const Slot x = o.in(0).is(stored).rank(4, 4).adjacent(1), y = o.out().is(stored).rank(4, 4).adjacent(1);
  require(y.extent(0) == x.extent(0) && (a.expands != 0 || x.extent(1) == a.hidden) &&
              (a.projects != 0 || y.extent(1) == a.hidden),
          "a result of {} images of {} channels", y.extent(0), y.extent(1));
  for (size_t i = 0; i < 2; ++i) {
    const auto axis = static_cast<int>(i) + 2;
    require(a.pads[i] >= 0 && a.pads[i] < a.kernel[i], "a pad of {}", a.pads[i]);
    check_window({x.extent(axis), y.extent(axis), a.kernel[i], a.strides[i], 1, a.pads[i],
                  std::max({x.view().strides[i + 2], HiddenSlices::kSlice, x.extent(3) * HiddenSlices::kSlice})});
  }
  if (a.residual != 0) o.in(count - 1).is(stored).shape(y.extents()).adjacent(1);
}

// A strip of rows of an image of the result.
struct Strip {
  int64_t image, begin, end;
  int64_t first = 0, last = 0;  // lines of the image under them

  Strip(int64_t n, int64_t row) : image(n), begin(row), end(row) {}  // none
  Strip(const DepthwiseBlockAttrs& a, int64_t height, int64_t n, int64_t from, int64_t to)
      : image(n), begin(from), end(to) {
    first = std::clamp<int64_t>(from * a.strides[0] - a.pads[0], 0, height);
    last = std::clamp<int64_t>((to - 1) * a.strides[0] - a.pads[0] + a.kernel[0], first, height);
  }
  // How many of its lines are there from the strip before.
  int64_t kept_of(const Strip& before) const { return std::max<int64_t>(0, std::min(before.last, last) - first); }
};

}  // namespace planish::kernels::cpu::PLANISH_ISA
