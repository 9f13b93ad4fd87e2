// Layers of detectors: SSD's PriorBox and DetectionOutput, Faster R-CNN's Proposal and ROIPooling.

#include "kernels/reference/detection.h"

#include <cstdlib>
#include <tuple>

#include "importers/caffe/importer.h"
#include "importers/plugins/table/plugin_table.h"

namespace planish::caffe {
namespace {

// `one` for both axes, or the fields for height and width.
std::pair<double, double> height_and_width(const text::Message& param, const char* one, const char* height,
                                           const char* width, bool integers) {
  const auto read = [&](const char* name) {
    return integers ? static_cast<double>(param.integer(name, 0)) : param.number(name, 0);
  };
  if (param.has(one) && (param.has(height) || param.has(width)))
    fail(Code::invalid_model, "both {} and {} or {}; one form is accepted", one, height, width);
  return param.has(one) ? std::pair(read(one), read(one)) : std::pair(read(height), read(width));
}

PriorBoxAttrs prior_box_attrs(LayerContext& context) {
  const text::Message& param = context.param("prior_box_param");
  PriorBoxAttrs attrs;
  attrs.min_sizes = param.numbers("min_size");
  attrs.max_sizes = param.numbers("max_size");
  attrs.aspect_ratios = param.numbers("aspect_ratio");
  if (const auto variances = param.numbers("variance"); !variances.empty()) attrs.variances = variances;
  attrs.flip = param.flag("flip", true) ? 1 : 0;
  attrs.clip = param.flag("clip", false) ? 1 : 0;
  const auto image = height_and_width(param, "img_size", "img_h", "img_w", true);
  attrs.image_height = static_cast<int64_t>(image.first);
  attrs.image_width = static_cast<int64_t>(image.second);
  std::tie(attrs.step_height, attrs.step_width) = height_and_width(param, "step", "step_h", "step_w", false);
  attrs.offset = param.number("offset", 0.5);
  return attrs;
}

// Of fixed extents the boxes are known: a constant.
void import_prior_box(LayerContext& context) {
  const PriorBoxAttrs attrs = prior_box_attrs(context);
  const ValueId boxes = context.add("prior_box", {context.input(0), context.input(1)}, attrs_of(attrs));
  const Shape &cells = context.shape(0), &image = context.shape(1);
  const bool given = attrs.image_height > 0 && attrs.image_width > 0;
  bool fixed = cells[2].is_constant() && cells[3].is_constant();
  fixed = fixed && (given || (image[2].is_constant() && image[3].is_constant()));
  constexpr int64_t kMostKnown = int64_t{1} << 24;
  if (!fixed || shape_of(context, boxes).element_count().value() > kMostKnown) return context.give({boxes});
  const PriorGrid grid{cells[2].value(), cells[3].value(), given ? attrs.image_height : image[2].value(),
                       given ? attrs.image_width : image[3].value()};
  const auto extents = shape_of(context, boxes).extents();
  const std::vector<float> known = prior_boxes(attrs, grid);
  context.graph().remove_node(context.value(boxes).producer);
  context.give({context.constant(Tensor::of<float>(extents, known))});
}

// Rows of one image, whatever their further axes.
ValueId rows_of(LayerContext& context, size_t i) {
  if (context.rank(i) == 2) return context.input(i);
  return context.add("flatten", {context.input(i)}, {{"axis", int64_t{1}}});
}

int64_t code_index(const std::string& code) { return code == "CORNER" ? 0 : code == "CENTER_SIZE" ? 1 : 2; }

// TensorRT's form of the layer: rows of each image [N, 1, keep_top_k, 7] and how many they are [N, 1, 1, 1].
void import_counted_detections(LayerContext& context) {
  const text::Message& param = context.param("detection_output_param");
  const text::Message& suppression = param.message("nms_param");
  if (suppression.number("eta", 1) != 1)
    fail(Code::unsupported, "two tops and nms_param.eta {}; 1 is accepted", suppression.number("eta", 1));
  const int64_t keep = param.integer("keep_top_k", -1);
  if (keep < 1) fail(Code::invalid_model, "two tops and keep_top_k {}; at least 1 is accepted", keep);
  plugins::PluginNode node;
  node.type = "NMS_TRT";
  node.name = node.made = context.name();
  node.inputs = context.inputs();
  node.attrs = {{"numClasses", param.integer("num_classes", 0)},
                {"shareLocation", int64_t{param.flag("share_location", true) ? 1 : 0}},
                {"backgroundLabelId", param.integer("background_label_id", 0)},
                {"varianceEncodedInTarget", int64_t{param.flag("variance_encoded_in_target") ? 1 : 0}},
                {"nmsThreshold", suppression.number("nms_threshold", 0.3)},
                {"topK", suppression.integer("top_k", -1)},
                {"keepTopK", keep},
                {"confidenceThreshold", param.number("confidence_threshold", 0)},
                {"codeType", code_index(param.choice("code_type", "CORNER"))}};
  context.give(plugins::expand(context.graph(), std::move(node)));
}

void import_detection_output(LayerContext& context) {
  if (context.tops() == 2) return import_counted_detections(context);
  const text::Message& param = context.param("detection_output_param");
  const text::Message& suppression = param.message("nms_param");
  DetectionOutputAttrs attrs;
  attrs.classes = param.integer("num_classes", 0);
  attrs.share_location = param.flag("share_location", true) ? 1 : 0;
  attrs.background = param.integer("background_label_id", 0);
  attrs.nms_threshold = suppression.number("nms_threshold", 0.3);
  attrs.eta = suppression.number("eta", 1);
  attrs.top_k = suppression.integer("top_k", -1);
  attrs.keep_top_k = param.integer("keep_top_k", -1);
  attrs.variance_in_target = param.flag("variance_encoded_in_target") ? 1 : 0;
  const std::string code = param.choice("code_type", "CORNER");
  attrs.code_type = code == "CORNER" ? "corner" : code == "CENTER_SIZE" ? "center_size" : "corner_size";
  attrs.confidence_threshold = param.number("confidence_threshold", attrs.confidence_threshold);
  context.emit("detection_output", {rows_of(context, 0), rows_of(context, 1), context.input(2)}, attrs_of(attrs));
}

void emit_proposals(LayerContext& context, ProposalAttrs attrs) {
  context.emit("proposal", {context.input(0), context.input(1), context.input(2)}, attrs_of(std::move(attrs)));
}

void import_proposal(LayerContext& context) {
  const text::Message& param = context.param("proposal_param");
  ProposalAttrs attrs;
  attrs.stride = param.integer("feat_stride", attrs.stride);
  attrs.base_size = param.integer("base_size", attrs.base_size);
  attrs.min_size = param.integer("min_size", attrs.min_size);
  attrs.pre_nms = param.integer("pre_nms_topn", attrs.pre_nms);
  attrs.post_nms = param.integer("post_nms_topn", attrs.post_nms);
  attrs.nms_threshold = param.number("nms_thresh", attrs.nms_threshold);
  if (const auto ratios = param.numbers("ratio"); !ratios.empty()) attrs.ratios = ratios;
  if (const auto scales = param.numbers("scale"); !scales.empty()) attrs.scales = scales;
  emit_proposals(context, std::move(attrs));
}

// Faster R-CNN's layer in Python: param_str "'feat_stride': 16".
void import_python(LayerContext& context) {
  const text::Message& param = context.param("python_param");
  if (param.text("layer") != "ProposalLayer")
    fail(Code::unsupported, "layer '{}' of the module '{}'; of those in Python ProposalLayer is accepted",
         param.text("layer"), param.text("module"));
  ProposalAttrs attrs;
  const std::string settings = param.text("param_str");
  const size_t at = settings.find("feat_stride"), colon = settings.find(':', at == std::string::npos ? 0 : at);
  if (at != std::string::npos && colon != std::string::npos)
    attrs.stride = std::strtoll(settings.c_str() + colon + 1, nullptr, 10);
  emit_proposals(context, std::move(attrs));
}

// The largest element of each bin of a region.
void import_roi_pooling(LayerContext& context) {
  const text::Message& param = context.param("roi_pooling_param");
  ValueId regions = context.input(1);
  if (context.rank(1) == 4) regions = reshaped(context, regions, {context.shape(1)[0], context.shape(1)[1]});
  context.emit("max_roi_pool", {context.input(0), regions},
               {{"pooled_shape", std::vector<int64_t>{param.integer("pooled_h", 0), param.integer("pooled_w", 0)}},
                {"spatial_scale", param.number("spatial_scale", 1)}});
}

// TensorRT's layer of Faster R-CNN: regions [N, 1, P, 4] and the largest elements of their bins [N, P, C, H, W].
void import_regions_and_pooling(LayerContext& context) {
  const text::Message &regions = context.param("region_proposal_param"), &pooling = context.param("roi_pooling_param");
  plugins::PluginNode node;
  node.type = "RPROI_TRT";
  node.name = node.made = context.name();
  node.inputs = context.inputs();
  node.attrs = {{"poolingH", pooling.integer("pooled_h", 0)},
                {"poolingW", pooling.integer("pooled_w", 0)},
                {"spatialScale", pooling.number("spatial_scale", 1)},
                {"featureStride", regions.integer("feature_stride", 0)},
                {"preNmsTop", regions.integer("prenms_top", 0)},
                {"nmsMaxOut", regions.integer("nms_max_out", 0)},
                {"iouThreshold", regions.number("iou_threshold", 0)},
                {"minBoxSize", regions.number("min_box_size", 0)},
                {"anchorsRatioCount", regions.integer("anchor_ratio_count", 0)},
                {"anchorsScaleCount", regions.integer("anchor_scale_count", 0)},
                {"anchorsRatios", regions.numbers("anchor_ratio")},
                {"anchorsScales", regions.numbers("anchor_scale")}};
  context.give(plugins::expand(context.graph(), std::move(node)));
}

}  // namespace

void register_detection(LayerTable& table) {
  table.add("PriorBox", import_prior_box, {2, 2});
  table.add("DetectionOutput", import_detection_output, {3, 3, 1, 2});
  table.add("Proposal", import_proposal, {3, 3, 1, 2});
  table.add("Python", import_python, {3, 3, 1, 2});
  table.add("ROIPooling", import_roi_pooling, {2, 2});
  table.add("RPROI", import_regions_and_pooling, {4, 4, 2, 2});
}

}  // namespace planish::caffe
