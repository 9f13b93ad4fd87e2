// prior_box, detection_output and proposal, as Caffe's SSD and Faster R-CNN define them.

#include "kernels/reference/detection.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/check.h"
#include "kernels/reference/boxes.h"

namespace planish {

std::vector<double> prior_ratios(const PriorBoxAttrs& attrs) {
  std::vector<double> ratios = {1};
  for (double ratio : attrs.aspect_ratios) {
    if (std::any_of(ratios.begin(), ratios.end(), [&](double other) { return std::abs(ratio - other) < 1e-6; }))
      continue;
    ratios.push_back(ratio);
    if (attrs.flip != 0) ratios.push_back(1 / ratio);
  }
  return ratios;
}

int64_t priors_per_cell(const PriorBoxAttrs& attrs) {
  return std::ssize(prior_ratios(attrs)) * std::ssize(attrs.min_sizes) + std::ssize(attrs.max_sizes);
}

// Width and height of each box of a cell. Sizes are whole pixels: Caffe drops fractions.
static std::vector<std::array<double, 2>> prior_extents(const PriorBoxAttrs& attrs) {
  std::vector<std::array<double, 2>> extents;
  const auto ratios = prior_ratios(attrs);
  for (size_t i = 0; i < attrs.min_sizes.size(); ++i) {
    const double least = std::trunc(attrs.min_sizes[i]);
    extents.push_back({least, least});
    if (i < attrs.max_sizes.size()) {
      const double middle = std::sqrt(least * std::trunc(attrs.max_sizes[i]));
      extents.push_back({middle, middle});
    }
    for (double ratio : ratios)
      if (std::abs(ratio - 1) >= 1e-6) extents.push_back({least * std::sqrt(ratio), least / std::sqrt(ratio)});
  }
  return extents;
}

std::vector<float> prior_boxes(const PriorBoxAttrs& attrs, const PriorGrid& grid) {
  const auto width = static_cast<double>(grid.image_width), height = static_cast<double>(grid.image_height);
  const bool stepped = attrs.step_height != 0 && attrs.step_width != 0;
  const double across = stepped ? attrs.step_width : width / static_cast<double>(grid.width),
               down = stepped ? attrs.step_height : height / static_cast<double>(grid.height);
  const auto extents = prior_extents(attrs);
  std::vector<float> boxes;
  const auto place = [&](double value) {
    boxes.push_back(static_cast<float>(attrs.clip != 0 ? std::clamp(value, 0.0, 1.0) : value));
  };
  for (int64_t row = 0; row < grid.height; ++row)
    for (int64_t column = 0; column < grid.width; ++column)
      for (const auto& [box_width, box_height] : extents) {
        const double x = (static_cast<double>(column) + attrs.offset) * across,
                     y = (static_cast<double>(row) + attrs.offset) * down;
        place((x - box_width / 2) / width);
        place((y - box_height / 2) / height);
        place((x + box_width / 2) / width);
        place((y + box_height / 2) / height);
      }
  const size_t count = boxes.size();
  for (size_t i = 0; i < count; ++i)
    boxes.push_back(static_cast<float>(attrs.variances[attrs.variances.size() == 1 ? 0 : i % 4]));
  return boxes;
}

namespace kernels::reference {
namespace {

// --- prior_box

PriorGrid prior_grid(const KernelArgs& args) {
  const auto& attrs = args.as<PriorBoxAttrs>();
  const TensorView &cells = args.inputs[0], &image = args.inputs[1];
  const bool given = attrs.image_height > 0 && attrs.image_width > 0;
  return {cells.dims[2], cells.dims[3], given ? attrs.image_height : image.dims[2],
          given ? attrs.image_width : image.dims[3]};
}

// Cells [N, C, H, W], image [N, C, height, width] -> [1, 2, H * W * boxes * 4]
void check_prior_box(const KernelArgs& args) {
  const Operands o(args, 2, 2);
  const auto& attrs = args.as<PriorBoxAttrs>();
  o.in(0).rank(4, 4);
  o.in(1).rank(4, 4);
  require(!attrs.min_sizes.empty(), "no sizes of boxes");
  require(attrs.max_sizes.empty() || attrs.max_sizes.size() == attrs.min_sizes.size(), "{} largest sizes for {}",
          attrs.max_sizes.size(), attrs.min_sizes.size());
  require(attrs.variances.size() == 1 || attrs.variances.size() == 4, "{} variances", attrs.variances.size());
  o.out().shape({1, 2, o.in(0).extent(2) * o.in(0).extent(3) * priors_per_cell(attrs) * 4});
}

void run_prior_box(const KernelArgs& args) {
  const TensorView& y = args.outputs[0];
  const auto boxes = prior_boxes(args.as<PriorBoxAttrs>(), prior_grid(args));
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t k = 0; k < y.dims[2]; ++k)
      store_double(y, i * y.strides[1] + k * y.strides[2], boxes[static_cast<size_t>(i * y.dims[2] + k)]);
}

// --- boxes

struct Suppression {
  double threshold, eta, unit;
  size_t most;
};

// Of boxes in falling order of score those that share no more than the threshold with one before them that is kept.
std::vector<size_t> suppressed(const std::vector<Corners>& boxes, const std::vector<size_t>& order,
                               const Suppression& rule) {
  std::vector<size_t> kept;
  double threshold = rule.threshold;
  for (size_t candidate : order) {
    if (kept.size() >= rule.most) break;
    const bool hidden = std::any_of(kept.begin(), kept.end(), [&](size_t other) {
      return shared_part(boxes[candidate], boxes[other], rule.unit) > threshold;
    });
    if (hidden) continue;
    kept.push_back(candidate);
    if (rule.eta < 1 && threshold > 0.5) threshold *= rule.eta;
  }
  return kept;
}

// --- detection_output

struct Detection {
  int64_t image = 0, label = -1;
  double score = -1;
  Corners box = {-1, -1, -1, -1};
};

// One image of a detection_output: its views of boxes, scores and priors.
class DetectedImage {
 public:
  DetectedImage(const KernelArgs& args, int64_t image)
      : attrs_(args.as<DetectionOutputAttrs>()),
        boxes_(args.inputs[0]),
        scores_(args.inputs[1]),
        priors_(args.inputs[2]),
        image_(image),
        count_(priors_.dims[2] / 4) {}

  std::vector<Detection> detections() const {
    std::vector<Detection> found;
    std::vector<Corners> shared;
    if (attrs_.share_location != 0) shared = decoded(0);
    for (int64_t label = 0; label < attrs_.classes; ++label) {
      if (label == attrs_.background) continue;
      const auto own = attrs_.share_location != 0 ? std::vector<Corners>{} : decoded(label);
      const std::vector<Corners>& boxes = attrs_.share_location != 0 ? shared : own;
      const Suppression rule{attrs_.nms_threshold, attrs_.eta, 0, boxes.size()};
      for (size_t i : suppressed(boxes, best_first(label), rule))
        found.push_back({image_, label, score(static_cast<int64_t>(i), label), boxes[i]});
    }
    keep_best(found);
    return found;
  }

 private:
  double element(const TensorView& view, int64_t i) const {
    return load_double(view, image_ * view.strides[0] + i * view.strides[1]);
  }
  double score(int64_t box, int64_t label) const { return element(scores_, box * attrs_.classes + label); }
  double prior(int64_t kind, int64_t i) const {
    return load_double(priors_, kind * priors_.strides[1] + i * priors_.strides[2]);
  }

  // Boxes of a class in falling order of score, equal ones by their number.
  std::vector<size_t> best_first(int64_t label) const {
    std::vector<std::pair<double, size_t>> ranked;
    for (int64_t i = 0; i < count_; ++i)
      if (score(i, label) > attrs_.confidence_threshold) ranked.emplace_back(-score(i, label), static_cast<size_t>(i));
    std::stable_sort(ranked.begin(), ranked.end());
    if (attrs_.top_k >= 0 && std::ssize(ranked) > attrs_.top_k) ranked.resize(static_cast<size_t>(attrs_.top_k));
    std::vector<size_t> order;
    for (const auto& [key, i] : ranked) order.push_back(i);
    return order;
  }

  // The best of all classes, then again in order of their classes.
  void keep_best(std::vector<Detection>& found) const {
    if (attrs_.keep_top_k < 0 || std::ssize(found) <= attrs_.keep_top_k) return;
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    found.resize(static_cast<size_t>(attrs_.keep_top_k));
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.label < b.label; });
  }

  std::vector<Corners> decoded(int64_t label) const {
    const int64_t groups = attrs_.share_location != 0 ? 1 : attrs_.classes;
    std::vector<Corners> boxes;
    for (int64_t i = 0; i < count_; ++i) {
      std::array<double, 4> code{}, corner{};
      for (int64_t k = 0; k < 4; ++k) {
        const auto at = static_cast<size_t>(k);
        const double variance = attrs_.variance_in_target != 0 ? 1 : prior(1, 4 * i + k);
        code[at] = variance * element(boxes_, (i * groups + label) * 4 + k);
        corner[at] = prior(0, 4 * i + k);
      }
      boxes.push_back(decoded_box(code, {corner[0], corner[1], corner[2], corner[3]}));
    }
    return boxes;
  }

  Corners decoded_box(const std::array<double, 4>& code, const Corners& prior) const {
    const double width = prior.right - prior.left, height = prior.bottom - prior.top;
    if (attrs_.code_type == "center_size") {
      const double x = (prior.left + prior.right) / 2 + code[0] * width,
                   y = (prior.top + prior.bottom) / 2 + code[1] * height;
      const double half_width = std::exp(code[2]) * width / 2, half_height = std::exp(code[3]) * height / 2;
      return {x - half_width, y - half_height, x + half_width, y + half_height};
    }
    const bool sized = attrs_.code_type == "corner_size";
    const double across = sized ? width : 1, down = sized ? height : 1;
    return {prior.left + code[0] * across, prior.top + code[1] * down, prior.right + code[2] * across,
            prior.bottom + code[3] * down};
  }

  const DetectionOutputAttrs& attrs_;
  const TensorView &boxes_, &scores_, &priors_;
  int64_t image_, count_;
};

// Where nothing is found in any image, a row of -1 behind the number of each.
std::vector<Detection> all_detections(const KernelArgs& args) {
  std::vector<Detection> all;
  const int64_t images = args.inputs[0].dims[0];
  for (int64_t image = 0; image < images; ++image) {
    const auto found = DetectedImage(args, image).detections();
    all.insert(all.end(), found.begin(), found.end());
  }
  if (!all.empty()) return all;
  for (int64_t image = 0; image < images; ++image) all.push_back({image});
  return all;
}

// Boxes [N, P * groups * 4], scores [N, P * classes], priors [1 or N, 2, P * 4]
void check_detection_operands(const Operands& o, const DetectionOutputAttrs& attrs) {
  require(attrs.classes > 0, "{} classes", attrs.classes);
  const Slot boxes = o.in(0).rank(2, 2), scores = o.in(1).rank(2, 2), priors = o.in(2).rank(3, 3);
  const int64_t count = priors.extent(2) / 4;
  boxes.shape({boxes.extent(0), count * (attrs.share_location != 0 ? 1 : attrs.classes) * 4});
  scores.shape({boxes.extent(0), count * attrs.classes});
  priors.shape({priors.extent(0), 2, 4 * count});
  require(priors.extent(0) > 0, "no priors");
}

void check_count_detections(const KernelArgs& args) {
  require(args.bound_symbols.size() == 1, "{} symbols are bound, one is accepted", args.bound_symbols.size());
  check_detection_operands(Operands(args, 3, 3, 0, 0), args.as<DetectionOutputAttrs>());
}

void check_detection_output(const KernelArgs& args) {
  const Operands o(args, 3, 3);
  check_detection_operands(o, args.as<DetectionOutputAttrs>());
  o.out().shape({1, 1, o.out().rank(4, 4).extent(2), 7});
}

void run_count_detections(const KernelArgs& args) { args.bound_symbols[0] = std::ssize(all_detections(args)); }

// Rows of results: stored while there are as many as were planned for.
void require_planned(int64_t found, int64_t planned) {
  if (found != planned) fail(Code::invalid_argument, "{} boxes are found, {} were planned for", found, planned);
}

void run_detection_output(const KernelArgs& args) {
  const TensorView& y = args.outputs[0];
  const auto found = all_detections(args);
  require_planned(std::ssize(found), y.dims[2]);
  int64_t row = 0;
  for (const Detection& d : found) {
    const double values[] = {static_cast<double>(d.image),
                             static_cast<double>(d.label),
                             d.score,
                             d.box.left,
                             d.box.top,
                             d.box.right,
                             d.box.bottom};
    for (int64_t i = 0; i < 7; ++i) store_double(y, row * y.strides[2] + i * y.strides[3], values[i]);
    ++row;
  }
}

// --- proposal

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

void register_detection(KernelTable& table) {
  table.add(make_kernel<PriorBoxAttrs>("prior_box", check_prior_box, run_prior_box));
  table.add(
      make_kernel<DetectionOutputAttrs>("extents.detection_output", check_count_detections, run_count_detections));
  table.add(make_kernel<DetectionOutputAttrs>("detection_output", check_detection_output, run_detection_output));
  table.add(make_kernel<ProposalAttrs>("extents.proposal", check_count_proposals, run_count_proposals));
  table.add(make_kernel<ProposalAttrs>("proposal", check_proposal, run_proposal));
}

}  // namespace kernels::reference
}  // namespace planish
