#pragma once
// ONNX files to graphs. The reader is our own, on the wire format: no protobuf library is needed.
//
// Weights stay in the mapped file (or in the mapped external file) until something rewrites them.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "importers/common/inputs.h"
#include "importers/common/unsupported.h"
#include "ir/graph.h"
#include "tensor/tensor.h"

namespace planish::onnx {

struct ImportOptions {
  // Ranges for inputs, by input name, one entry an axis: {"data", {{1,1,8},{3,3,3},…}}. An axis with
  // min == max becomes a constant. Dynamic axes not named here keep DimRange{1, 1, 1}: batch and the like
  // default to 1 and the log says so once (a warning, but for first axes), or `open` is filled, also where the import
  // fails.
  std::map<std::string, std::vector<DimRange>> input_shapes;
  // Dynamic axes not named there stay dynamic, of any extent (kAnyExtent), until they are given a range.
  bool keep_dynamic = false;
  importers::OpenInputs* open = nullptr;
};

// Throws Error: invalid_model (names file, node, what was found, what is accepted), not_found, io, or
// unsupported with the whole table of what cannot be taken.
Graph import_file(const std::string& path, const ImportOptions& options = {});
// External data lie beside `path`, when that is not empty.
Graph import_bytes(std::span<const std::byte> bytes, const std::string& name, const ImportOptions& options = {},
                   const std::string& path = {});

// The table alone; empty when all nodes have an importer.
std::vector<UnsupportedNode> unsupported(const std::string& path);

// A serialized TensorProto (.pb files of test data); also reads the values of SequenceProto-less inputs only.
Tensor read_tensor(std::span<const std::byte> bytes);
Tensor read_tensor_file(const std::string& path);

}  // namespace planish::onnx
