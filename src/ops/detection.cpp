// prior_box, detection_output and proposal: boxes of detectors, as Caffe's SSD and Faster R-CNN define them.

#include "kernels/reference/detection.h"

#include <cmath>

#include "ops/common/row.h"

namespace planish::ops {
namespace {

void check_sizes(const char* attribute, const std::vector<double>& list) {
  for (double value : list)
    if (!(value > 0 && value < 1e9))
      fail(Code::invalid_model, "attribute '{}' holds {}; values above 0 and up to 1e9 are accepted", attribute, value);
}

void check_prior_attrs(const InferContext& context, const PriorBoxAttrs& attrs) {
  for (const auto& [name, list] : {std::pair{"min_sizes", &attrs.min_sizes},
                                   {"max_sizes", &attrs.max_sizes},
                                   {"aspect_ratios", &attrs.aspect_ratios},
                                   {"variances", &attrs.variances}})
    check_sizes(name, *list);
  context.require_flag("flip", attrs.flip);
  context.require_flag("clip", attrs.clip);
  if (attrs.min_sizes.empty()) fail(Code::invalid_model, "attribute 'min_sizes' is empty");
  if (!attrs.max_sizes.empty() && attrs.max_sizes.size() != attrs.min_sizes.size())
    fail(Code::invalid_model, "{} max_sizes for {} min_sizes; as many, or none, are accepted", attrs.max_sizes.size(),
         attrs.min_sizes.size());
  if (attrs.variances.size() != 1 && attrs.variances.size() != 4)
    fail(Code::invalid_model, "{} variances; 1 or 4 are accepted", attrs.variances.size());
  for (double value : {attrs.step_height, attrs.step_width, attrs.offset})
    if (!(value >= 0 && value < 1e9)) fail(Code::invalid_model, "a step or an offset of {}", value);
}

// Cells [N, C, H, W], image [N, C, height, width] -> [1, 2, H * W * boxes * 4]
void prior_box_infer(InferContext& context) {
  const auto attrs = context.attrs<PriorBoxAttrs>();
  check_prior_attrs(context, attrs);
  context.require_rank(0, 4, 4);
  context.require_rank(1, 4, 4);
  context.require_dtype(0, kFloats);
  const Shape& cells = context.shape(0);
  context.output(0, context.dtype(0), Shape{1, 2, cells[2] * cells[3] * Dim(priors_per_cell(attrs) * 4)});
}

void check_detection_attrs(const InferContext& context, const DetectionOutputAttrs& attrs) {
  context.require_choice("code_type", attrs.code_type, {"corner", "center_size", "corner_size"});
  context.require_flag("share_location", attrs.share_location);
  context.require_flag("variance_in_target", attrs.variance_in_target);
  if (attrs.classes < 1 || attrs.classes > INT32_MAX)
    fail(Code::invalid_model, "attribute 'classes' is {}; 1 and more is accepted", attrs.classes);
  if (!(attrs.nms_threshold >= 0)) fail(Code::invalid_model, "attribute 'nms_threshold' is {}", attrs.nms_threshold);
  if (!(attrs.eta > 0 && attrs.eta <= 1))
    fail(Code::invalid_model, "attribute 'eta' is {}; above 0 and up to 1 is accepted", attrs.eta);
}

// Boxes [N, P * groups * 4], scores [N, P * classes], priors [1 or N, 2, P * 4] -> [1, 1, found, 7]: image, class,
// score, x1, y1, x2, y2
void detection_output_infer(InferContext& context) {
  const auto attrs = context.attrs<DetectionOutputAttrs>();
  check_detection_attrs(context, attrs);
  context.require_dtype(0, kFloats);
  context.require_rank(0, 2, 2);
  context.require_rank(1, 2, 2);
  context.require_rank(2, 3, 3);
  const Shape &boxes = context.shape(0), &scores = context.shape(1), &priors = context.shape(2);
  const Dim count = floor_div(priors[2], 4), groups = attrs.share_location != 0 ? 1 : attrs.classes;
  const bool fits = context.assume_equal(boxes[0], scores[0]) &&
                    context.assume_equal(boxes[1], count * groups * Dim(4)) &&
                    context.assume_equal(scores[1], count * Dim(attrs.classes)) &&
                    context.assume_equal(priors[2], count * Dim(4)) && context.assume_equal(priors[1], 2);
  if (!fits)
    fail(Code::invalid_model, "boxes {}, scores {} and priors {} for {} classes", boxes.str(), scores.str(),
         priors.str(), attrs.classes);
  const Dim most = attrs.keep_top_k > 0 ? Dim(attrs.keep_top_k) : count * Dim(attrs.classes);
  context.output(0, context.dtype(0), Shape{1, 1, context.data_dependent("found", boxes[0] * most), 7});
}

// Scores [1, 2 A, H, W], changes [1, 4 A, H, W], facts of the image [1, 3] -> boxes [found, 5], scores [found, 1]
void proposal_infer(InferContext& context) {
  const auto attrs = context.attrs<ProposalAttrs>();
  check_sizes("ratios", attrs.ratios);
  check_sizes("scales", attrs.scales);
  for (int64_t value : {attrs.stride, attrs.base_size})
    if (value < 1 || value > INT32_MAX) fail(Code::invalid_model, "a stride or base size of {}", value);
  if (!(attrs.nms_threshold >= 0)) fail(Code::invalid_model, "attribute 'nms_threshold' is {}", attrs.nms_threshold);
  for (size_t i : {0, 1}) context.require_rank(i, 4, 4);
  context.require_dtype(0, kFloats);
  const Dim anchors = std::ssize(attrs.ratios) * std::ssize(attrs.scales);
  const Shape &scores = context.shape(0), &facts = context.shape(2);
  context.require_shape(0, Shape{1, Dim(2) * anchors, scores[2], scores[3]});
  context.require_shape(1, Shape{1, Dim(4) * anchors, scores[2], scores[3]});
  context.require_rank(2, 2, 2);
  if (facts[0] != Dim(1) || !facts[1].is_constant() || facts[1].value() < 3)
    fail(Code::invalid_model, "{} is {}; [1, 3] is accepted", context.operand(2), facts.str());
  const Dim all = scores[2] * scores[3] * anchors;
  const Dim most = attrs.post_nms > 0 ? min(all, Dim(attrs.post_nms)) : all;
  const Dim found = context.data_dependent("proposals", most);
  context.output(0, context.dtype(0), Shape{found, 5});
  if (context.node().outputs.size() > 1) context.output(1, context.dtype(0), Shape{found, 1});
}

}  // namespace

void register_detection(OpTable& table) {
  OpDef prior = op_row("prior_box", 2, 2, check_attrs_as<PriorBoxAttrs>, prior_box_infer, elements_of_first);
  prior.operand_names = {"cells", "image"};
  table.add(std::move(prior));
  OpDef output =
      op_row("detection_output", 3, 3, check_attrs_as<DetectionOutputAttrs>, detection_output_infer, elements_of_first);
  output.operand_names = {"boxes", "scores", "priors"};
  table.add(std::move(output));
  OpDef proposal = op_row("proposal", 3, 3, check_attrs_as<ProposalAttrs>, proposal_infer, elements_of_first);
  proposal.operand_names = {"scores", "changes", "facts"};
  proposal.outputs = -1;
  table.add(std::move(proposal));
}

}  // namespace planish::ops
