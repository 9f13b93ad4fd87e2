#include "importers/caffe/importer.h"

namespace planish::caffe {

#define PLANISH_ROW(stem) void register_##stem(LayerTable&);
#include "gen/importers_caffe.inc"
#undef PLANISH_ROW

const LayerTable& layer_table() {
  static const LayerTable table = [] {
    LayerTable table;
#define PLANISH_ROW(stem) register_##stem(table);
#include "gen/importers_caffe.inc"
#undef PLANISH_ROW
    return table;
  }();
  return table;
}

}  // namespace planish::caffe
