// Plugins that ship with the library.

#include <deque>

#include "api/build/network.h"
#include "base/sized.h"
#include "importers/plugins/table/plugin_table.h"

using namespace planish;
using planish::api::guarded;
using planish::api::required;

namespace {

struct Described {
  std::vector<const char*> versions;
  std::vector<int32_t> generations;
  Attrs defaults;
  std::unique_ptr<CAttrs> fields;
  std::vector<int32_t> required;
  planish_shipped_plugin plugin{sizeof(planish_shipped_plugin)};
};

Described& describe(const plugins::PluginRow& row, Described& made) {
  for (const plugins::Version& version : row.versions) {
    made.versions.push_back(version.name.c_str());
    made.generations.push_back(version.generation);
  }
  std::set<std::string> needed;
  for (const plugins::Field& field : row.fields) {
    made.defaults.set(field.name, field.fallback);
    if (field.required) needed.insert(field.name);
  }
  made.fields = std::make_unique<CAttrs>(made.defaults);
  for (const auto& [name, value] : made.defaults.entries()) made.required.push_back(needed.count(name) > 0 ? 1 : 0);
  made.plugin.name = row.name.c_str();
  made.plugin.versions = made.versions.data();
  made.plugin.generations = made.generations.data();
  made.plugin.version_count = made.versions.size();
  made.plugin.fields = made.fields->data();
  made.plugin.required = made.required.data();
  made.plugin.field_count = made.fields->size();
  made.plugin.least_inputs = row.least;
  made.plugin.most_inputs = row.most;
  return made;
}

const std::deque<Described>& described() {
  static const std::deque<Described> all = [] {
    std::deque<Described> list;
    for (const plugins::PluginRow* row : plugins::plugin_table().rows()) describe(*row, list.emplace_back());
    return list;
  }();
  return all;
}

const plugins::PluginRow& row_of(const char* name) {
  const plugins::PluginRow* row = plugins::plugin_table().find(&required(name, "the plugin's name"));
  if (row == nullptr) fail(Code::not_found, "no plugin '{}' ships with the library", name);
  return *row;
}

}  // namespace

extern "C" {

int32_t planish_shipped_plugin_count() { return static_cast<int32_t>(plugins::plugin_table().rows().size()); }

planish_status planish_shipped_plugin_at(int32_t index, planish_shipped_plugin* plugin) {
  return guarded([&] {
    required(plugin, "the result");
    if (index < 0 || index >= planish_shipped_plugin_count())
      fail(Code::invalid_argument, "plugin {} of {}", index, planish_shipped_plugin_count());
    write_sized(plugin, described()[static_cast<size_t>(index)].plugin, "planish_shipped_plugin");
  });
}

planish_status planish_shipped_plugin_outputs(const char* plugin, const planish_attr* attrs, size_t attr_count,
                                              int32_t* count) {
  return guarded([&] {
    const plugins::PluginRow& row = row_of(plugin);
    required(count, "the result");
    *count = with_context([&] { return fmt::format("plugin '{}'", plugin); },
                          [&] { return row.outputs(plugins::checked_fields(row, api::attrs_of(attrs, attr_count))); });
  });
}

planish_status planish_network_add_shipped_plugin(planish_network* network, const char* plugin, const char* name,
                                                  const planish_value* inputs, size_t input_count,
                                                  const planish_attr* attrs, size_t attr_count,
                                                  planish_value* outputs) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    required(outputs, "the results");
    plugins::PluginNode node{row_of(plugin).name, api::attrs_of(attrs, attr_count),
                             api::values_at(*network, inputs, input_count), api::text_or_empty(name), plugin};
    Graph changed = graph.clone();
    const std::vector<ValueId> made = with_context([&] { return fmt::format("plugin '{}'", plugin); },
                                                   [&] { return plugins::expand(changed, std::move(node)); });
    graph = std::move(changed);
    for (size_t i = 0; i < made.size(); ++i) outputs[i] = made[i].index;
  });
}

}  // extern "C"
