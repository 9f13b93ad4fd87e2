#include "importers/import.h"

#include "importers/onnx/import.h"

namespace planish {
namespace {

caffe::Source caffe_source(const ModelSource& source) {
  if (source.is_file) return caffe::Source::file(source.path);
  return {source.path, source.bytes, nullptr};
}

Graph import_caffe(const ModelRequest& request) {
  caffe::ImportOptions options;
  options.input_shapes = request.input_shapes;
  options.random_weights = request.random_weights;
  options.mark_outputs = request.mark_outputs;
  options.custom = request.custom;
  options.batch = request.batch;
  options.half_weights = request.half_weights;
  options.into = request.into;
  const caffe::Source network = caffe_source(request.model);
  if (request.weights.path.empty()) return caffe::import_network(network, nullptr, options).graph;
  if (request.random_weights)
    fail(Code::invalid_argument, "{}: weights and random weights; one of them is accepted", request.weights.path);
  const caffe::Source weights = caffe_source(request.weights);
  return caffe::import_network(network, &weights, options).graph;
}

Graph import_onnx(const ModelRequest& request) {
  if (!request.weights.path.empty())
    fail(Code::invalid_argument, "{}: weights beside {}, which holds its own; those of a .prototxt are accepted",
         request.weights.path, request.model.path);
  if (request.random_weights)
    fail(Code::invalid_argument, "random weights for {}, which holds its own; a .prototxt may have them",
         request.model.path);
  if (!request.mark_outputs)
    fail(Code::unsupported, "{} without its outputs; a .prototxt may be imported so", request.model.path);
  if (request.custom || request.into != nullptr || request.half_weights || !request.batch.empty())
    fail(Code::unsupported,
         "{}: layers of the caller's, a name of the batch, weights in half, a network to import into; "
         "a .prototxt may have them",
         request.model.path);
  const onnx::ImportOptions options{request.input_shapes, request.keep_dynamic, request.open};
  const ModelSource& model = request.model;
  if (model.is_file) return onnx::import_file(model.path, options);
  return onnx::import_bytes(model.bytes, model.path, options, model.has_folder ? model.path : "");
}

void refuse_weights_file(const std::string& path) {
  if (path.ends_with(".caffemodel"))
    fail(Code::invalid_argument, "{} holds the weights of a network that stands in a .prototxt, which is accepted",
         path);
}

}  // namespace

Tensor read_mean(const ModelSource& source) { return caffe::read_blob(caffe_source(source)); }

bool is_caffe_name(const std::string& path) { return path.ends_with(".prototxt"); }

Graph import_model(const ModelRequest& request) {
  if (request.format == ModelFormat::caffe) return import_caffe(request);
  refuse_weights_file(request.model.path);
  const bool is_caffe = request.format == ModelFormat::by_name && is_caffe_name(request.model.path);
  return is_caffe ? import_caffe(request) : import_onnx(request);
}

std::vector<UnsupportedNode> unsupported_nodes(const std::string& path) {
  refuse_weights_file(path);
  return is_caffe_name(path) ? caffe::unsupported(caffe::Source::file(path)) : onnx::unsupported(path);
}

}  // namespace planish
