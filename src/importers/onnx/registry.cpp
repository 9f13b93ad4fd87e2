#include "base/registry.h"
#include "importers/onnx/importer.h"

namespace planish::onnx {

#define PLANISH_ROW(stem) void register_##stem(ImporterTable&);
#include "gen/importers_onnx.inc"
#undef PLANISH_ROW

const ImporterTable& importer_table() {
#define PLANISH_ROW(stem) register_##stem,
  static const ImporterTable table = filled<ImporterTable>({
#include "gen/importers_onnx.inc"
  });
#undef PLANISH_ROW
  return table;
}

}  // namespace planish::onnx
