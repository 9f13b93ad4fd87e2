#include "importers/caffe/importer.h"

namespace planish::caffe {

const text::Message& LayerContext::param(std::string_view name) const {
  // Layers of the old format lack the messages of newer ones, which none of their types reads.
  if (layer_.message->type().find(name) != nullptr) return layer_.message->message(name);
  static const text::Message* const empty = new text::Message(text::message_type("LayerParameter"));
  return empty->message(name);
}

size_t LayerContext::blob_count() const { return weights_.blobs == nullptr ? 0 : weights_.blobs->size(); }

int64_t LayerContext::blob_elements(size_t i) const { return i < blob_count() ? weights_.blobs->at(i).count() : 0; }

void LayerContext::require_blobs(size_t least, size_t most) const {
  if (weights_.blobs == nullptr || (blob_count() >= least && blob_count() <= most)) return;
  fail(Code::invalid_model, "{} blobs in the weights' file, the layer takes {}", blob_count(),
       least == most ? std::to_string(least) : fmt::format("{} to {}", least, most));
}

Tensor LayerContext::blob_tensor(size_t i, const std::vector<int64_t>& extents, Made made) const {
  return weights_.tensor(i, extents, made);
}

ValueId LayerContext::blob(size_t i, const std::vector<int64_t>& extents, Made made) {
  return graph().add_constant(blob_tensor(i, extents, made), fmt::format("{}.{}", name(), i));
}

void LayerContext::emit(OpName op, std::vector<ValueId> inputs, Attrs attrs) {
  const NodeId id = add_node(graph(), op, std::move(inputs), std::move(attrs), name(), static_cast<int>(tops()));
  results = graph().node(id).outputs;
}

}  // namespace planish::caffe
