// Making networks.

#include "api/build/network.h"

#include <algorithm>

#include "base/checked.h"
#include "importers/common/custom.h"
#include "importers/common/inputs.h"
#include "ops/builder.h"

using namespace planish;
using planish::api::guarded;
using planish::api::required;

namespace planish::api {

ValueId value_at(const planish_network& network, planish_value value) {
  if (!network.graph.alive(ValueId{value})) fail(Code::invalid_argument, "the network has no value {}", value);
  return ValueId{value};
}

NodeId node_at(const planish_network& network, planish_node node) {
  if (!network.graph.alive(NodeId{node})) fail(Code::invalid_argument, "the network has no node {}", node);
  return NodeId{node};
}

std::vector<ValueId> values_at(const planish_network& network, const planish_value* values, size_t count) {
  std::vector<ValueId> ids;
  if (count > 0) required(values, "the list of operands");
  for (size_t i = 0; i < count; ++i) ids.push_back(values[i] < 0 ? ValueId{} : value_at(network, values[i]));
  return ids;
}

Attrs attrs_of(const planish_attr* attrs, size_t count) {
  if (count > 0) required(attrs, "the list of attributes");
  return from_c({attrs, count});
}

DataType checked_dtype(planish_dtype type) {
  if (type <= PLANISH_NONE || type == PLANISH_STRING || type > static_cast<planish_dtype>(kLastDataType))
    fail(Code::invalid_argument, "element type {} is not accepted here", type);
  return static_cast<DataType>(type);
}

}  // namespace planish::api

namespace {

void require_free_name(const Graph& graph, const std::string& name) {
  if (!name.empty() && graph.find_value(name)) fail(Code::invalid_argument, "a value is called '{}' already", name);
}

std::vector<int64_t> extents_of(const int64_t* extents, int32_t rank) {
  if (rank < 0 || rank > kMaxRank) fail(Code::invalid_argument, "rank {}, at most {} is accepted", rank, kMaxRank);
  if (rank > 0) required(extents, "the list of extents");
  return {extents, extents + rank};
}

// Until a range is given a symbol may take any extent.

Dim input_dim(Graph& graph, const std::string& input, int64_t extent, int axis, const char* symbol) {
  if (symbol != nullptr && extent != -1)
    fail(Code::invalid_argument, "axis {} of '{}' has both an extent ({}) and a name ({})", axis, input, extent,
         symbol);
  if (extent >= 0) return extent;
  if (extent != -1) fail(Code::invalid_argument, "axis {} of '{}' has the extent {}", axis, input, extent);
  if (symbol == nullptr)
    return Dim::symbol(graph.fresh_symbol(fmt::format("{}_{}", input, axis), {SymbolKind::shape, kAnyExtent}));
  const Dim dim = Dim::parse(symbol);
  if (dim.op() != DimOp::symbol)
    fail(Code::invalid_argument, "axis {} of '{}' is called '{}'; a name is accepted", axis, input, symbol);
  graph.symbols.try_emplace(symbol, SymbolInfo{SymbolKind::shape, kAnyExtent});
  return dim;
}

std::vector<Dim> input_dims(Graph& graph, const std::string& input, const std::vector<int64_t>& extents,
                            const char* const* symbols) {
  std::vector<Dim> dims;
  for (size_t axis = 0; axis < extents.size(); ++axis)
    dims.push_back(
        input_dim(graph, input, extents[axis], static_cast<int>(axis), symbols == nullptr ? nullptr : symbols[axis]));
  return dims;
}

Tensor tensor_of(planish_dtype dtype, const std::vector<int64_t>& extents, const void* data) {
  const DataType type = api::checked_dtype(dtype);
  const int64_t bytes = checked_mul(checked_product(extents), element_bytes(type));
  if (bytes > 0 && data == nullptr)
    fail(Code::invalid_argument, "the constant's data is NULL, {} bytes are needed", bytes);
  return Tensor::make(type, extents,
                      [&](std::byte* out) { std::copy_n(static_cast<const std::byte*>(data), bytes, out); });
}

// An output needs a name of its own: what enters the network unchanged goes through an identity.
ValueId output_value(Graph& graph, ValueId value) {
  return graph.value(value).producer.valid() ? value : add_op(graph, "identity", {value});
}

}  // namespace

extern "C" {

planish_status planish_network_create(const char* name, planish_network** network) {
  return guarded([&] {
    required(network, "the result");
    auto made = std::make_unique<planish_network>();
    made->graph.name = api::text_or_empty(name);
    *network = made.release();
  });
}

planish_status planish_network_clone(const planish_network* network, planish_network** copy) {
  return guarded([&] {
    required(copy, "the result");
    auto made = std::make_unique<planish_network>();
    made->graph = required(network, "the network").graph.clone();
    made->ranged = network->ranged;
    *copy = made.release();
  });
}

void planish_network_destroy(planish_network* network) { delete network; }

planish_status planish_network_add_input(planish_network* network, const char* name, planish_dtype dtype,
                                         const int64_t* extents, const char* const* symbols, int32_t rank,
                                         planish_value* value) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    const std::string input = &required(name, "the input's name");
    if (input.empty()) fail(Code::invalid_argument, "an input needs a name");
    required(value, "the result");
    require_free_name(graph, input);
    const auto given = extents_of(extents, rank);
    const DataType type = api::checked_dtype(dtype);
    *value = graph.add_input(input, {type, Shape(input_dims(graph, input, given, symbols))}).index;
  });
}

planish_status planish_network_set_input_type(planish_network* network, planish_value value, planish_dtype dtype,
                                              const int64_t* extents, const char* const* symbols, int32_t rank) {
  return guarded([&] {
    const ValueId id = api::value_at(required(network, "the network"), value);
    const auto inputs = network->graph.inputs();
    if (std::find(inputs.begin(), inputs.end(), id) == inputs.end())
      fail(Code::invalid_argument, "'{}' is no input of the network", network->graph.value(id).name);
    const auto given = extents_of(extents, rank);
    const DataType type = api::checked_dtype(dtype);
    api::edit(*network, [&](Graph& graph) {
      const std::string input = graph.value(id).name;
      graph.mutable_value(id).type = {type, Shape(input_dims(graph, input, given, symbols))};
    });
  });
}

planish_status planish_network_add_constant(planish_network* network, const char* name, planish_dtype dtype,
                                            const int64_t* extents, int32_t rank, const void* data,
                                            planish_value* value) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    required(value, "the result");
    require_free_name(graph, api::text_or_empty(name));
    *value = graph.add_constant(tensor_of(dtype, extents_of(extents, rank), data), api::text_or_empty(name)).index;
  });
}

planish_status planish_network_add_node(planish_network* network, const char* op, const char* name,
                                        const planish_value* inputs, size_t input_count, const planish_attr* attrs,
                                        size_t attr_count, int32_t output_count, planish_node* node) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    required(node, "the result");
    const OpDef& def = op_def(OpName(&required(op, "the operator's name")));
    if (def.has_regions) fail(Code::invalid_argument, "'{}' has bodies: planish_network_add_control adds it", op);
    if (def.name == "custom") fail(Code::invalid_argument, "planish_network_add_plugin adds user operators");
    *node = add_node(graph, OpName(def.name), api::values_at(*network, inputs, input_count),
                     api::attrs_of(attrs, attr_count), api::text_or_empty(name), output_count)
                .index;
  });
}

planish_status planish_network_add_like(planish_network* network, const planish_network* source, planish_node like,
                                        const char* name, const planish_value* inputs, size_t input_count,
                                        planish_node* node) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    required(node, "the result");
    const Node& found = required(source, "the source").graph.node(api::node_at(*source, like));
    if (!found.regions.empty() || found.op == "custom")
      fail(Code::invalid_argument, "node '{}' ({}) has bodies or is a plugin; others can be copied", found.name,
           found.op.str());
    std::vector<std::string> symbols;
    for (const auto& [attribute, value] : found.attrs.entries())
      if (const auto* dims = std::get_if<std::vector<Dim>>(&value))
        for (const Dim& dim : *dims) dim.collect_symbols(symbols);
    for (const std::string& symbol : symbols)
      if (graph.symbols.count(symbol) == 0)
        fail(Code::invalid_argument, "node '{}' holds the extent '{}', which the network does not know", found.name,
             symbol);
    const Attrs attrs = found.attrs;
    *node = add_node(graph, OpName(found.op), api::values_at(*network, inputs, input_count), attrs,
                     api::text_or_empty(name), static_cast<int>(found.outputs.size()))
                .index;
  });
}

planish_status planish_network_add_plugin(planish_network* network, const char* plugin, const char* name,
                                          const planish_value* inputs, size_t input_count, const planish_attr* attrs,
                                          size_t attr_count, planish_node* node) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    required(node, "the result");
    const auto operands = api::values_at(*network, inputs, input_count);
    const Attrs custom = importers::custom_attrs(graph, &required(plugin, "the plugin's name"), operands,
                                                 api::attrs_of(attrs, attr_count));
    const auto outputs = static_cast<int>(custom.get<std::vector<std::string>>("types").size());
    *node = add_node(graph, "custom", operands, custom, api::text_or_empty(name), outputs).index;
  });
}

planish_status planish_network_mark_output(planish_network* network, planish_value value, const char* name) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    const ValueId given = api::value_at(*network, value);
    const std::string wanted = api::text_or_empty(name);
    if (graph.is_output(given)) fail(Code::invalid_argument, "'{}' is an output already", graph.value(given).name);
    if (wanted != graph.value(given).name) require_free_name(graph, wanted);
    const ValueId output = output_value(graph, given);
    if (!wanted.empty() && wanted != graph.value(output).name) graph.rename(output, wanted);
    graph.add_output(output);
  });
}

planish_status planish_network_unmark_output(planish_network* network, planish_value value) {
  return guarded([&] {
    Graph& graph = required(network, "the network").graph;
    const auto outputs = graph.outputs();
    const auto at = std::find(outputs.begin(), outputs.end(), api::value_at(*network, value));
    if (at == outputs.end()) fail(Code::invalid_argument, "'{}' is no output", graph.value(ValueId{value}).name);
    graph.remove_output(static_cast<size_t>(at - outputs.begin()));
  });
}

planish_status planish_network_set_range(planish_network* network, const char* symbol, int64_t min, int64_t opt,
                                         int64_t max) {
  return guarded([&] {
    SymbolTable& symbols = required(network, "the network").graph.symbols;
    auto at = symbols.find(std::string_view(&required(symbol, "the symbol's name")));
    if (at == symbols.end()) fail(Code::not_found, "no extent is called '{}'", symbol);
    if (min < 0 || min > opt || opt > max || max > INT32_MAX)
      fail(Code::invalid_argument, "the range {}:{}:{} of '{}'; 0 <= min <= opt <= max <= {} is accepted", min, opt,
           max, symbol, INT32_MAX);
    at->second.range = {min, opt, max};
    network->ranged.insert(symbol);
  });
}

}  // extern "C"
