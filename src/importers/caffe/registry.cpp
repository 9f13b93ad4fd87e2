#include "base/registry.h"
#include "importers/caffe/importer.h"

namespace planish::caffe {

#define PLANISH_ROW(stem) void register_##stem(LayerTable&);
#include "gen/importers_caffe.inc"
#undef PLANISH_ROW

const LayerTable& layer_table() {
#define PLANISH_ROW(stem) register_##stem,
  static const LayerTable table = filled<LayerTable>({
#include "gen/importers_caffe.inc"
  });
#undef PLANISH_ROW
  return table;
}

}  // namespace planish::caffe
