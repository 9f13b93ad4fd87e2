#include "base/registry.h"
#include "importers/plugins/table/plugin_table.h"

namespace planish::plugins {

#define PLANISH_ROW(stem) void register_##stem(PluginTable&);
#include "gen/importers_plugins.inc"
#undef PLANISH_ROW

const PluginTable& plugin_table() {
#define PLANISH_ROW(stem) register_##stem,
  static const PluginTable table = filled<PluginTable>({
#include "gen/importers_plugins.inc"
  });
#undef PLANISH_ROW
  return table;
}

}  // namespace planish::plugins
