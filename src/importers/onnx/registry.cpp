#include "importers/onnx/importer.h"

namespace planish::onnx {

#define PLANISH_ROW(stem) void register_##stem(ImporterTable&);
#include "gen/importers_onnx.inc"
#undef PLANISH_ROW

const ImporterTable& importer_table() {
  static const ImporterTable table = [] {
    ImporterTable table;
#define PLANISH_ROW(stem) register_##stem(table);
#include "gen/importers_onnx.inc"
#undef PLANISH_ROW
    return table;
  }();
  return table;
}

}  // namespace planish::onnx
