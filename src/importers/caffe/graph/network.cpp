#include "importers/caffe/graph/network.h"

#include <algorithm>
#include <map>

#include "importers/caffe/text/lexer.h"
#include "importers/caffe/text/parser.h"
#include "tensor/shape.h"

namespace planish::caffe {
namespace {

using text::fail_at;
using text::Message;

// Types of the format of 2014, which were numbers, by their names of today.
const std::map<std::string, std::string>& names_of_v1() {
  static const std::map<std::string, std::string> names = {{"ABSVAL", "AbsVal"},
                                                           {"ACCURACY", "Accuracy"},
                                                           {"ARGMAX", "ArgMax"},
                                                           {"BNLL", "BNLL"},
                                                           {"CONCAT", "Concat"},
                                                           {"CONTRASTIVE_LOSS", "ContrastiveLoss"},
                                                           {"CONVOLUTION", "Convolution"},
                                                           {"DATA", "Data"},
                                                           {"DECONVOLUTION", "Deconvolution"},
                                                           {"DROPOUT", "Dropout"},
                                                           {"DUMMY_DATA", "DummyData"},
                                                           {"ELTWISE", "Eltwise"},
                                                           {"EUCLIDEAN_LOSS", "EuclideanLoss"},
                                                           {"EXP", "Exp"},
                                                           {"FLATTEN", "Flatten"},
                                                           {"HDF5_DATA", "HDF5Data"},
                                                           {"HDF5_OUTPUT", "HDF5Output"},
                                                           {"HINGE_LOSS", "HingeLoss"},
                                                           {"IM2COL", "Im2col"},
                                                           {"IMAGE_DATA", "ImageData"},
                                                           {"INFOGAIN_LOSS", "InfogainLoss"},
                                                           {"INNER_PRODUCT", "InnerProduct"},
                                                           {"LRN", "LRN"},
                                                           {"MEMORY_DATA", "MemoryData"},
                                                           {"MULTINOMIAL_LOGISTIC_LOSS", "MultinomialLogisticLoss"},
                                                           {"MVN", "MVN"},
                                                           {"POOLING", "Pooling"},
                                                           {"POWER", "Power"},
                                                           {"RELU", "ReLU"},
                                                           {"SIGMOID", "Sigmoid"},
                                                           {"SIGMOID_CROSS_ENTROPY_LOSS", "SigmoidCrossEntropyLoss"},
                                                           {"SILENCE", "Silence"},
                                                           {"SLICE", "Slice"},
                                                           {"SOFTMAX", "Softmax"},
                                                           {"SOFTMAX_LOSS", "SoftmaxWithLoss"},
                                                           {"SPLIT", "Split"},
                                                           {"TANH", "TanH"},
                                                           {"THRESHOLD", "Threshold"},
                                                           {"WINDOW_DATA", "WindowData"}};
  return names;
}

// What rules of inclusion are held against.
struct State {
  int64_t level = 0;
  std::vector<std::string> stages;

  bool has(const std::string& stage) const { return std::find(stages.begin(), stages.end(), stage) != stages.end(); }
};

bool meets(const Message& rule, const State& state) {
  if (rule.has("phase") && rule.choice("phase", "") != "TEST") return false;
  if (rule.has("min_level") && state.level < rule.integer("min_level")) return false;
  if (rule.has("max_level") && state.level > rule.integer("max_level")) return false;
  const auto stages = rule.texts("stage"), other = rule.texts("not_stage");
  const auto has = [&](const std::string& stage) { return state.has(stage); };
  return std::all_of(stages.begin(), stages.end(), has) && std::none_of(other.begin(), other.end(), has);
}

bool is_included(const Message& layer, const State& state) {
  const auto include = layer.messages("include"), exclude = layer.messages("exclude");
  if (!include.empty() && !exclude.empty())
    fail_at(layer.place(), "a layer with rules of inclusion and of exclusion; one kind is accepted");
  const auto met = [&](const Message* rule) { return meets(*rule, state); };
  if (!include.empty()) return std::any_of(include.begin(), include.end(), met);
  return std::none_of(exclude.begin(), exclude.end(), met);
}

Layer layer_of(const Message& message, bool is_v1) {
  Layer layer{message.text("name"), is_v1 ? "" : message.text("type"), message.texts("bottom"), message.texts("top"),
              &message};
  if (is_v1) {
    if (message.has("layer"))
      fail_at(message.place(),
              "a layer in the format of 2013 ('layers {{ layer {{ … }} }}'); Caffe's "
              "upgrade_net_proto_text brings it to a newer one");
    const auto at = names_of_v1().find(message.choice("type", "NONE"));
    if (at != names_of_v1().end()) layer.type = at->second;
  }
  if (layer.type.empty()) fail_at(message.place(), "layer '{}' has no type", layer.name);
  return layer;
}

std::vector<int64_t> checked_extents(const std::string& name, std::vector<int64_t> extents, text::Place place) {
  if (extents.size() > kMaxRank) fail_at(place, "input '{}' has rank {}; at most {}", name, extents.size(), kMaxRank);
  for (int64_t extent : extents)
    if (extent < 0) fail_at(place, "input '{}' has an extent of {}", name, extent);
  return extents;
}

// input: "data" input_shape { dim: … }, or four numbers input_dim for each of them.
void add_declared_inputs(Network& network) {
  const Message& message = network.message;
  const auto names = message.texts("input");
  const auto shapes = message.messages("input_shape");
  const auto dims = message.integers("input_dim");
  if (!shapes.empty() && !dims.empty()) fail_at(message.place(), "both input_shape and input_dim; one is accepted");
  if (!dims.empty() && dims.size() != 4 * names.size())
    fail_at(message.place(), "{} values input_dim for {} inputs; four for each are accepted", dims.size(),
            names.size());
  if (dims.empty() && shapes.size() != names.size())
    fail_at(message.place(), "{} shapes for {} inputs", shapes.size(), names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    std::vector<int64_t> extents =
        dims.empty() ? shapes[i]->integers("dim") : std::vector<int64_t>(&dims[4 * i], &dims[4 * i] + 4);
    network.inputs.push_back({names[i], checked_extents(names[i], std::move(extents), message.place())});
  }
}

// One shape for each top, or one for all.
void add_inputs_of(const Layer& layer, Network& network) {
  const Message& param = layer.message->message("input_param");
  const auto shapes = param.messages("shape");
  if (shapes.empty() || (shapes.size() != 1 && shapes.size() != layer.tops.size()))
    fail_at(layer.message->place(), "layer '{}' (Input) has {} shapes for {} blobs; one for each is accepted",
            layer.name, shapes.size(), layer.tops.size());
  for (size_t i = 0; i < layer.tops.size(); ++i) {
    const Message& shape = *shapes[shapes.size() == 1 ? 0 : i];
    network.inputs.push_back({layer.tops[i], checked_extents(layer.tops[i], shape.integers("dim"), shape.place())});
  }
}

}  // namespace

Network read_network(std::string_view text) {
  Network network{text::parse(text, text::message_type("NetParameter")), "", {}, {}};
  const Message& message = network.message;
  network.name = message.text("name");
  add_declared_inputs(network);
  const Message& state = message.message("state");
  const State wanted{state.integer("level"), state.texts("stage")};
  const auto layers = message.messages("layer"), old = message.messages("layers");
  if (!layers.empty() && !old.empty())
    fail_at(old[0]->place(), "both 'layer' and 'layers'; layers of one format are accepted");
  for (const auto* list : {&layers, &old})
    for (const Message* item : *list) {
      if (!is_included(*item, wanted)) continue;
      Layer layer = layer_of(*item, list == &old);
      if (layer.type == "Input")
        add_inputs_of(layer, network);
      else
        network.layers.push_back(std::move(layer));
    }
  return network;
}

}  // namespace planish::caffe
