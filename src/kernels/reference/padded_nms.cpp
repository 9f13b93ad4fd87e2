// padded_nms: boxes of many classes, of which the best that hide each other least fill a fixed number of rows.

#include "kernels/reference/padded_nms.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "kernels/check.h"
#include "kernels/reference/boxes.h"

namespace planish::kernels::reference {
namespace {

struct Candidate {
  double score = 0;
  int64_t label = 0, box = 0;
};

// One image: boxes [P, G, 4], scores [P, C].
class NmsImage {
 public:
  NmsImage(const KernelArgs& args, int64_t image)
      : attrs_(args.as<PaddedNmsAttrs>()), boxes_(args.inputs[0]), scores_(args.inputs[1]), image_(image) {}

  std::vector<Candidate> kept() const {
    std::vector<Candidate> found;
    std::map<int64_t, std::pair<int64_t, int64_t>> seen;  // of a class: candidates, kept
    for (const Candidate& candidate : ranked()) {
      if (std::ssize(found) >= attrs_.keep) break;
      auto& [looked_at, taken] = seen[candidate.label];
      if (attrs_.candidates >= 0 && looked_at++ >= attrs_.candidates) continue;
      if (attrs_.most_per_class >= 0 && taken >= attrs_.most_per_class) continue;
      if (hidden(candidate, found)) continue;
      ++taken;
      found.push_back(candidate);
    }
    return found;
  }

  double coordinate(const Candidate& candidate, int64_t i) const {
    const int64_t group = boxes_.dims[2] == 1 ? 0 : candidate.label;
    return load_double(boxes_, image_ * boxes_.strides[0] + candidate.box * boxes_.strides[1] +
                                   group * boxes_.strides[2] + i * boxes_.strides[3]);
  }

 private:
  // Best first; of equal ones the lower class, then the lower box.
  std::vector<Candidate> ranked() const {
    std::vector<Candidate> all;
    for (int64_t label = 0; label < scores_.dims[2]; ++label) {
      if (label == attrs_.background) continue;
      for (int64_t box = 0; box < scores_.dims[1]; ++box) {
        const double score =
            load_double(scores_, image_ * scores_.strides[0] + box * scores_.strides[1] + label * scores_.strides[2]);
        if (score > attrs_.score_threshold || (attrs_.inclusive != 0 && score == attrs_.score_threshold))
          all.push_back({score, label, box});
      }
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    return all;
  }

  // Any two opposite corners make a box.
  Corners corners(const Candidate& candidate) const {
    const double x1 = coordinate(candidate, 0), y1 = coordinate(candidate, 1), x2 = coordinate(candidate, 2),
                 y2 = coordinate(candidate, 3);
    return {std::min(x1, x2), std::min(y1, y2), std::max(x1, x2), std::max(y1, y2)};
  }

  bool hidden(const Candidate& candidate, const std::vector<Candidate>& found) const {
    const Corners box = corners(candidate);
    const double unit = attrs_.pixels != 0 ? 1 : 0;
    return std::any_of(found.begin(), found.end(), [&](const Candidate& other) {
      return (attrs_.class_agnostic != 0 || other.label == candidate.label) &&
             shared_part(box, corners(other), unit) > attrs_.iou_threshold;
    });
  }

  const PaddedNmsAttrs& attrs_;
  const TensorView &boxes_, &scores_;
  int64_t image_;
};

// Boxes [N, P, 1 or C, 4], scores [N, P, C] -> count [N, 1], boxes [N, K, 4], scores [N, K], classes [N, K], which [N,
// K]
void check_padded_nms(const KernelArgs& args) {
  const Operands o(args, 2, 2, 5, 5);
  const auto& attrs = args.as<PaddedNmsAttrs>();
  const Slot boxes = o.in(0).rank(4, 4), scores = o.in(1).rank(3, 3);
  const int64_t images = boxes.extent(0), groups = boxes.extent(2);
  boxes.shape({images, boxes.extent(1), groups == 1 ? 1 : scores.extent(2), 4});
  scores.shape({images, boxes.extent(1), scores.extent(2)});
  require(attrs.keep >= 0, "{} rows", attrs.keep);
  o.out(0).is({DataType::i32}).shape({images, 1});
  o.out(1).type_of(boxes).shape({images, attrs.keep, 4});
  o.out(2).type_of(scores).shape({images, attrs.keep});
  for (size_t i : {3, 4}) o.out(i).is({DataType::i32}).shape({images, attrs.keep});
}

void store_row(const KernelArgs& args, const NmsImage& image, const Candidate* found, int64_t n, int64_t row) {
  const auto at = [&](size_t i) { return n * args.outputs[i].strides[0] + row * args.outputs[i].strides[1]; };
  for (int64_t k = 0; k < 4; ++k)
    store_double(args.outputs[1], at(1) + k * args.outputs[1].strides[2],
                 found == nullptr ? 0 : image.coordinate(*found, k));
  store_double(args.outputs[2], at(2), found == nullptr ? 0 : found->score);
  store_int(args.outputs[3], at(3), found == nullptr ? args.as<PaddedNmsAttrs>().empty_class : found->label);
  store_int(args.outputs[4], at(4), found == nullptr ? -1 : found->box);
}

void run_padded_nms(const KernelArgs& args) {
  args.pool->parallel_for(args.inputs[0].dims[0], 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const NmsImage image(args, n);
      const auto kept = image.kept();
      store_int(args.outputs[0], n * args.outputs[0].strides[0], std::ssize(kept));
      for (int64_t row = 0; row < args.as<PaddedNmsAttrs>().keep; ++row)
        store_row(args, image, row < std::ssize(kept) ? &kept[static_cast<size_t>(row)] : nullptr, n, row);
    }
  });
}

}  // namespace

void register_padded_nms(KernelTable& table) {
  table.add(make_kernel<PaddedNmsAttrs>("padded_nms", check_padded_nms, run_padded_nms));
}

}  // namespace planish::kernels::reference
