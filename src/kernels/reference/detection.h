#pragma once
// Attributes of prior_box, detection_output and proposal: boxes of single-shot and two-stage detectors.

#include <cstdint>
#include <string>
#include <vector>

namespace planish {

struct PriorBoxAttrs {
  std::vector<double> min_sizes, max_sizes;   // in pixels of the image; as many of each, or no max_sizes
  std::vector<double> aspect_ratios;          // beside 1
  std::vector<double> variances = {0.1};      // one, or one a coordinate
  int64_t flip = 1, clip = 0;                 // flip: 1 / ratio, too
  int64_t image_height = 0, image_width = 0;  // 0: of operand 1
  double step_height = 0, step_width = 0;     // 0: the image's extent over the cells
  double offset = 0.5;
  template <class V>
  void fields(V& v) {
    v("min_sizes", min_sizes);
    v("max_sizes", max_sizes);
    v("aspect_ratios", aspect_ratios);
    v("variances", variances);
    v("flip", flip);
    v("clip", clip);
    v("image_height", image_height);
    v("image_width", image_width);
    v("step_height", step_height);
    v("step_width", step_width);
    v("offset", offset);
  }
};

// Ratios of width to height in the order of their boxes, 1 first, none twice.
std::vector<double> prior_ratios(const PriorBoxAttrs& attrs);
int64_t priors_per_cell(const PriorBoxAttrs& attrs);

struct PriorGrid {
  int64_t height = 0, width = 0, image_height = 0, image_width = 0;
};
// [2, height * width * priors_per_cell * 4]: x1, y1, x2, y2 over the image's extents, then their variances.
std::vector<float> prior_boxes(const PriorBoxAttrs& attrs, const PriorGrid& grid);

struct DetectionOutputAttrs {
  int64_t classes = 0, background = 0;                    // background: no class where negative
  int64_t share_location = 1;                             // 0: boxes of each class
  int64_t top_k = -1, keep_top_k = -1;                    // of a class before, of an image behind suppression; -1: all
  int64_t variance_in_target = 0;                         // 1: the network's boxes are multiplied by variances already
  std::string code_type = "corner";                       // or center_size, corner_size
  double confidence_threshold = -3.4028234663852886e+38;  // scores above it are taken
  double nms_threshold = 0.3, eta = 1;                    // eta below 1: the threshold falls with each box that is kept
  template <class V>
  void fields(V& v) {
    v("classes", classes);
    v("background", background);
    v("share_location", share_location);
    v("top_k", top_k);
    v("keep_top_k", keep_top_k);
    v("variance_in_target", variance_in_target);
    v("code_type", code_type);
    v("confidence_threshold", confidence_threshold);
    v("nms_threshold", nms_threshold);
    v("eta", eta);
  }
};

struct ProposalAttrs {
  int64_t stride = 16, base_size = 16, min_size = 16, pre_nms = 6000, post_nms = 300;
  std::vector<double> ratios = {0.5, 1, 2}, scales = {8, 16, 32};
  double nms_threshold = 0.7;
  template <class V>
  void fields(V& v) {
    v("stride", stride);
    v("base_size", base_size);
    v("min_size", min_size);
    v("pre_nms", pre_nms);
    v("post_nms", post_nms);
    v("ratios", ratios);
    v("scales", scales);
    v("nms_threshold", nms_threshold);
  }
};

}  // namespace planish
