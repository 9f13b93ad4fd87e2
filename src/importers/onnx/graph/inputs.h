#pragma once
// The inputs of an imported graph, with the extents that the caller gives.

#include <string>

#include "importers/onnx/graph/graph_importer.h"
#include "importers/onnx/import.h"

namespace planish::onnx {

// Extents that were taken as 1, because nobody gave them.
struct Assumptions {
  std::string text;          // "input 'x' axis 2 ('height'), …"; empty: none
  bool only_batches = true;  // none but first axes
};

Assumptions import_inputs(const wire::GraphProto& proto, const ImportOptions& options, Graph& graph,
                          GraphImporter& importer);

}  // namespace planish::onnx
