// detection_output, as Caffe's SSD defines it.

#include "kernels/reference/detection.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/check.h"
#include "kernels/reference/boxes.h"

namespace planish::kernels::reference {
namespace {

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

}  // namespace

void register_detection(KernelTable& table) {
  table.add(
      make_kernel<DetectionOutputAttrs>("extents.detection_output", check_count_detections, run_count_detections));
  table.add(make_kernel<DetectionOutputAttrs>("detection_output", check_detection_output, run_detection_output));
}

}  // namespace planish::kernels::reference
