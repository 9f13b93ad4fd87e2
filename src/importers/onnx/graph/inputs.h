#pragma once
// The inputs of an imported graph, with the extents that the caller gives.

#include "importers/onnx/graph/graph_importer.h"
#include "importers/onnx/import.h"

namespace planish::onnx {

// Gives back the inputs with extents that nobody gave.
importers::OpenInputs import_inputs(const wire::GraphProto& proto, const ImportOptions& options, Graph& graph,
                                    GraphImporter& importer);

}  // namespace planish::onnx
