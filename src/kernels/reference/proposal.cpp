// proposal, as Caffe's Faster R-CNN defines it.

#include <algorithm>
#include <cmath>

#include "kernels/check.h"
#include "kernels/reference/boxes.h"
#include "kernels/reference/detection.h"

namespace planish::kernels::reference {
namespace {

// Boxes around the pixel 0, 0: of each ratio in each scale.
std::vector<Corners> anchors_of(const ProposalAttrs& attrs) {
  const auto side = static_cast<double>(attrs.base_size);
  const double centre = (side - 1) / 2;
  std::vector<Corners> anchors;
  for (double ratio : attrs.ratios) {
    const double width = std::nearbyint(std::sqrt(side * side / ratio)), height = std::nearbyint(width * ratio);
    for (double scale : attrs.scales) {
      const double across = (width * scale - 1) / 2, down = (height * scale - 1) / 2;
      anchors.push_back({centre - across, centre - down, centre + across, centre + down});
    }
  }
  return anchors;
}

struct Proposals {
  std::vector<Corners> boxes;
  std::vector<double> scores;
  std::vector<size_t> kept;
};

// Scores [1, 2 A, H, W] (those of objects behind), changes [1, 4 A, H, W], [height, width, scale] of the image.
class Proposer {
 public:
  explicit Proposer(const KernelArgs& args)
      : attrs_(args.as<ProposalAttrs>()),
        scores_(args.inputs[0]),
        changes_(args.inputs[1]),
        anchors_(anchors_of(attrs_)),
        height_(info(args.inputs[2], 0)),
        width_(info(args.inputs[2], 1)),
        scale_(info(args.inputs[2], 2)) {}

  Proposals proposals() const {
    Proposals found;
    for (int64_t row = 0; row < scores_.dims[2]; ++row)
      for (int64_t column = 0; column < scores_.dims[3]; ++column)
        for (size_t anchor = 0; anchor < anchors_.size(); ++anchor) add(found, anchor, row, column);
    std::vector<std::pair<double, size_t>> ranked;
    for (size_t i = 0; i < found.scores.size(); ++i) ranked.emplace_back(-found.scores[i], i);
    std::stable_sort(ranked.begin(), ranked.end());
    if (attrs_.pre_nms > 0 && std::ssize(ranked) > attrs_.pre_nms) ranked.resize(static_cast<size_t>(attrs_.pre_nms));
    std::vector<size_t> order;
    for (const auto& [key, i] : ranked) order.push_back(i);
    const size_t most = attrs_.post_nms > 0 ? static_cast<size_t>(attrs_.post_nms) : order.size();
    found.kept = suppressed(found.boxes, order, {attrs_.nms_threshold, 1, 1, most});
    return found;
  }

 private:
  static double info(const TensorView& view, int64_t i) { return load_double(view, i * view.strides[1]); }

  static double at(const TensorView& view, size_t channel, int64_t row, int64_t column) {
    return load_double(
        view, static_cast<int64_t>(channel) * view.strides[1] + row * view.strides[2] + column * view.strides[3]);
  }

  void add(Proposals& found, size_t anchor, int64_t row, int64_t column) const {
    const auto change = [&](size_t i) { return at(changes_, 4 * anchor + i, row, column); };
    const Corners& base = anchors_[anchor];
    const double width = base.right - base.left + 1, height = base.bottom - base.top + 1;
    const double x = base.left + static_cast<double>(column * attrs_.stride) + width / 2 + change(0) * width,
                 y = base.top + static_cast<double>(row * attrs_.stride) + height / 2 + change(1) * height;
    const double across = std::exp(change(2)) * width / 2, down = std::exp(change(3)) * height / 2;
    const auto inside = [](double value, double extent) { return std::max(std::min(value, extent - 1), 0.0); };
    const Corners box = {inside(x - across, width_), inside(y - down, height_), inside(x + across, width_),
                         inside(y + down, height_)};
    const double least = static_cast<double>(attrs_.min_size) * scale_;
    if (!(box.right - box.left + 1 >= least) || !(box.bottom - box.top + 1 >= least)) return;
    found.boxes.push_back(box);
    found.scores.push_back(at(scores_, anchors_.size() + anchor, row, column));
  }

  const ProposalAttrs& attrs_;
  const TensorView &scores_, &changes_;
  std::vector<Corners> anchors_;
  double height_, width_, scale_;
};

void check_proposal_operands(const Operands& o, const ProposalAttrs& attrs) {
  const Slot scores = o.in(0).rank(4, 4);
  const auto anchors = std::ssize(attrs.ratios) * std::ssize(attrs.scales);
  scores.shape({1, 2 * anchors, scores.extent(2), scores.extent(3)});
  o.in(1).shape({1, 4 * anchors, scores.extent(2), scores.extent(3)});
  require(o.in(2).rank(2, 2).extent(1) >= 3 && o.in(2).extent(0) == 1, "an image's facts of {} by {}",
          o.in(2).extent(0), o.in(2).extent(1));
}

void check_count_proposals(const KernelArgs& args) {
  require(args.bound_symbols.size() == 1, "{} symbols are bound, one is accepted", args.bound_symbols.size());
  check_proposal_operands(Operands(args, 3, 3, 0, 0), args.as<ProposalAttrs>());
}

void check_proposal(const KernelArgs& args) {
  const Operands o(args, 3, 3, 1, 2);
  check_proposal_operands(o, args.as<ProposalAttrs>());
  o.out().shape({o.out().rank(2, 2).extent(0), 5});
  o.out(1).shape({o.out().extent(0), 1});
}

void run_count_proposals(const KernelArgs& args) {
  args.bound_symbols[0] = std::ssize(Proposer(args).proposals().kept);
}

void run_proposal(const KernelArgs& args) {
  const TensorView& y = args.outputs[0];
  const Proposals found = Proposer(args).proposals();
  require_planned(std::ssize(found.kept), y.dims[0]);
  for (int64_t row = 0; row < y.dims[0]; ++row) {
    const size_t which = found.kept[static_cast<size_t>(row)];
    const Corners& box = found.boxes[which];
    const double values[] = {0, box.left, box.top, box.right, box.bottom};
    for (int64_t i = 0; i < 5; ++i) store_double(y, row * y.strides[0] + i * y.strides[1], values[i]);
    if (args.has_output(1)) store_double(args.outputs[1], row * args.outputs[1].strides[0], found.scores[which]);
  }
}

}  // namespace

void register_proposal(KernelTable& table) {
  table.add(make_kernel<ProposalAttrs>("extents.proposal", check_count_proposals, run_count_proposals));
  table.add(make_kernel<ProposalAttrs>("proposal", check_proposal, run_proposal));
}

}  // namespace planish::kernels::reference
