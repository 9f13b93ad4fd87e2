#pragma once
// Caffe networks to graphs: the network's text (.prototxt), the trained weights (.caffemodel). Both readers are our
// own.
//
// The network is taken as Caffe runs it in the phase TEST. Every blob is a value of the graph's that has the blob's
// name; a blob that layers rewrite in place has the name of its last value.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "importers/common/inputs.h"
#include "importers/common/unsupported.h"
#include "ir/graph.h"
#include "tensor/tensor.h"

namespace planish::caffe {

// A layer that the caller may make himself, whatever its type.
struct CustomLayer {
  std::string name, type;
  std::vector<ValueId> inputs;
  std::vector<Tensor> blobs;  // of the weights' file, f32
  size_t outputs = 1;
};

// Asked for each layer before the importer: its results, or nothing where the importer shall make them.
using CustomLayers = std::function<std::optional<std::vector<ValueId>>(Graph&, const CustomLayer&)>;

struct ImportOptions {
  // Extents of inputs instead of the network's own, by name: {"data", {{1, 4, 8}, {3, 3, 3}, …}}.
  importers::InputShapes input_shapes;
  // Seeded values, of a deviation that keeps results in range, where there are no weights.
  bool random_weights = false;
  int64_t most_random = int64_t{1} << 30;  // elements that are made up at most; more are refused
  // Outputs are the blobs that no layer reads. false: none, and nothing is removed: the caller chooses among the blobs.
  bool mark_outputs = true;
  CustomLayers custom;
  std::string batch;            // the name of the first extent of every input; empty: the network's extents stay
  bool half_weights = false;    // what is learned is rounded to f16, within its range
  const Graph* into = nullptr;  // what is read is added to a copy of it; values there keep their ids, not their names
};

// A file that is mapped, or bytes; `name` stands in messages.
struct Source {
  std::string name;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  // keeps the bytes alive as long as tensors share them; empty: they are copied

  static Source file(const std::string& path);
};

struct Imported {
  Graph graph;
  std::map<std::string, ValueId> blobs;
};

// `weights`: nullptr where there are none. Throws Error: invalid_model (names file, line and column or layer, what was
// found, what is accepted), not_found, io, or unsupported with the whole table of what cannot be taken.
Imported import_network(const Source& network, const Source* weights, const ImportOptions& options = {});

// The table alone; empty when all layers have an importer.
std::vector<UnsupportedNode> unsupported(const Source& network);

// A BlobProto: the mean image of a .binaryproto, as f32.
Tensor read_blob(const Source& source);

// The types of layers that are imported, sorted.
std::vector<std::string> layer_types();

}  // namespace planish::caffe
