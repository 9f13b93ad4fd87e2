#include "importers/caffe/import.h"

#include "base/file.h"
#include "importers/caffe/graph/graph_importer.h"
#include "importers/common/wire.h"

namespace planish::caffe {
namespace {

// Types of layers that deployed networks do without, and what stands in their place.
struct Refusal {
  const char *types, *why;
};
constexpr Refusal kRefusals[] = {
    {" Data ImageData HDF5Data MemoryData DummyData WindowData AnnotatedData VideoData ",
     "reads a data set; a network to deploy has layers of type Input, or 'input:'"},
    {" SoftmaxWithLoss EuclideanLoss HingeLoss InfogainLoss MultinomialLogisticLoss SigmoidCrossEntropyLoss "
     "ContrastiveLoss MultiBoxLoss SmoothL1Loss ",
     "a loss, which training reads; a network to deploy ends in Softmax or the like"},
    {" Accuracy DetectionEvaluate HDF5Output ", "measures or stores results; a network to deploy does without"},
};

std::string refusal_of(const std::string& type) {
  for (const Refusal& refusal : kRefusals)
    if (std::string_view(refusal.types).find(" " + type + " ") != std::string_view::npos) return refusal.why;
  return "no importer for this type of layer" + text::suggestion(type, layer_table().types());
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<UnsupportedNode> census_of(const Network& network) {
  std::map<std::string, UnsupportedNode> rows;
  for (const Layer& layer : network.layers) {
    if (layer_table().find(layer.type) != nullptr) continue;
    UnsupportedNode& row = rows[layer.type];
    if (row.count++ > 0) continue;
    row.op = layer.type;
    row.first = layer.name;
    row.why = refusal_of(layer.type);
  }
  std::vector<UnsupportedNode> list;
  for (auto& [type, row] : rows) list.push_back(std::move(row));
  return list;
}

// Layers that learn, by what the text says of them.
bool learns(const Layer& layer) {
  for (const char* type : {"Convolution", "ConvolutionDepthwise", "DepthwiseConvolution", "Deconvolution",
                           "InnerProduct", "PReLU", "BatchNorm", "Normalize"})
    if (layer.type == type) return true;
  return (layer.type == "Scale" || layer.type == "Bias") && layer.bottoms.size() == 1;
}

// All layers at once that the weights' file says nothing of.
void require_weights(const Network& network, const wire::LayerBlobs& weights, const std::string& file) {
  std::string missing;
  int count = 0;
  for (const Layer& layer : network.layers)
    if (learns(layer) && weights.count(layer.name) == 0 && ++count <= 10)
      missing += fmt::format("{}'{}' ({})", count > 1 ? ", " : "", layer.name, layer.type);
  if (count > 10) missing += fmt::format(" and {} more", count - 10);
  if (count > 0) fail(Code::invalid_model, "{} has no weights for {}", file, missing);
}

}  // namespace

Source Source::file(const std::string& path) {
  const FileMap file = FileMap::open(path);
  return {path, file.bytes(), file.owner()};
}

Imported import_network(const Source& source, const Source* weights, const ImportOptions& options) {
  return with_context([&] { return source.name; },
                      [&] {
                        importers::refuse_lfs_pointer(source.bytes);
                        const Network network = read_network(text_of(source.bytes));
                        const auto missing = options.custom ? std::vector<UnsupportedNode>{} : census_of(network);
                        if (!missing.empty()) fail_unsupported(missing);
                        const bool learned = std::any_of(network.layers.begin(), network.layers.end(), learns);
                        if (weights == nullptr && !options.random_weights && learned)
                          fail(Code::invalid_argument,
                               "the network has layers that learn, and no weights are given; a .caffemodel is "
                               "accepted, or random weights");
                        if (weights == nullptr) return GraphImporter(network, nullptr, options).import();
                        const auto blobs =
                            with_context([&] { return weights->name; },
                                         [&] { return wire::read_weights(weights->bytes, weights->owner); });
                        if (!options.custom) require_weights(network, blobs, weights->name);
                        return GraphImporter(network, &blobs, options).import();
                      });
}

std::vector<UnsupportedNode> unsupported(const Source& source) {
  return with_context([&] { return source.name; }, [&] { return census_of(read_network(text_of(source.bytes))); });
}

Tensor read_blob(const Source& source) {
  return with_context([&] { return source.name; },
                      [&] {
                        const wire::Blob blob = wire::read_blob(source.bytes, source.owner);
                        blob.count();
                        return blob.tensor(blob.extents);
                      });
}

std::vector<std::string> layer_types() { return layer_table().types(); }

}  // namespace planish::caffe
