#pragma once
// Models to graphs, whatever their format: the name of the file tells it.
//   *.prototxt             Caffe, with weights in a .caffemodel
//   everything else        ONNX

#include <span>
#include <string>
#include <vector>

#include "importers/caffe/import.h"
#include "importers/common/inputs.h"
#include "importers/common/unsupported.h"
#include "ir/graph.h"

namespace planish {

struct ModelSource {
  std::string path;                  // of bytes: a name, for messages
  std::span<const std::byte> bytes;  // where there is no file
  bool is_file = true;
  bool has_folder = true;  // external data lie beside `path`
};

enum class ModelFormat { by_name, onnx, caffe };

struct ModelRequest {
  ModelSource model;
  ModelFormat format = ModelFormat::by_name;
  ModelSource weights;          // of formats that keep them apart; an empty path: none
  bool random_weights = false;  // seeded values where weights are none
  bool mark_outputs = true;     // false: the caller chooses among the values; of formats whose values all have names
  bool keep_dynamic = false;    // dynamic axes that input_shapes does not name stay so
  importers::OpenInputs* open = nullptr;  // those of which no shape was given, in place of a line in the log
  importers::InputShapes input_shapes;
  // Of Caffe's networks: caffe::ImportOptions.
  caffe::CustomLayers custom;
  std::string batch;
  bool half_weights = false;
  const Graph* into = nullptr;
};

bool is_caffe_name(const std::string& path);  // *.prototxt

// Error(invalid_argument) for weights of a format that has none apart; otherwise what the format's importer throws.
Graph import_model(const ModelRequest& request);

// A mean image (.binaryproto), as f32.
Tensor read_mean(const ModelSource& source);

// What the model needs that is missing; empty when everything has an importer.
std::vector<UnsupportedNode> unsupported_nodes(const std::string& path);

}  // namespace planish
