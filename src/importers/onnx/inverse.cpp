// Inverse of domain com.microsoft, which PyTorch's linalg.inv becomes.

#include "importers/onnx/importer.h"

namespace planish::onnx {

void register_inverse(ImporterTable& table) {
  table.add("com.microsoft::Inverse", [](NodeContext& context) { context.emit("inverse", context.inputs()); });
}

}  // namespace planish::onnx
