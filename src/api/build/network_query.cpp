// Reading networks.

#include <algorithm>

#include "api/build/network.h"
#include "base/sized.h"
#include "ir/text.h"

using namespace planish;
using planish::api::guarded;
using planish::api::required;

namespace {

template <class Ids>
int32_t id_at(const Ids& ids, int32_t index) {
  return index < 0 || static_cast<size_t>(index) >= ids.size() ? -1 : ids[static_cast<size_t>(index)].index;
}

}  // namespace

extern "C" {

int32_t planish_network_input_count(const planish_network* network) {
  return network == nullptr ? 0 : static_cast<int32_t>(network->graph.inputs().size());
}
int32_t planish_network_output_count(const planish_network* network) {
  return network == nullptr ? 0 : static_cast<int32_t>(network->graph.outputs().size());
}
int32_t planish_network_node_count(const planish_network* network) {
  return network == nullptr ? 0 : static_cast<int32_t>(network->graph.node_count());
}
planish_value planish_network_input(const planish_network* network, int32_t index) {
  return network == nullptr ? -1 : id_at(network->graph.inputs(), index);
}
planish_value planish_network_output(const planish_network* network, int32_t index) {
  return network == nullptr ? -1 : id_at(network->graph.outputs(), index);
}
planish_node planish_network_node(const planish_network* network, int32_t index) {
  return network == nullptr ? -1 : id_at(network->graph.nodes(), index);
}
planish_value planish_network_find_value(const planish_network* network, const char* name) {
  if (network == nullptr || name == nullptr) return -1;
  const auto found = network->graph.find_value(name);
  return found ? found->index : -1;
}
const char* planish_network_name(const planish_network* network) {
  return network == nullptr ? "" : network->graph.name.c_str();
}

planish_status planish_network_get_value(const planish_network* network, planish_value value,
                                         planish_value_info* info) {
  return guarded([&] {
    const ValueId id = api::value_at(required(network, "the network"), value);
    const Graph& graph = network->graph;
    const Value& found = graph.value(id);
    network->text = found.type.str();
    planish_value_info out{};
    out.name = found.name.c_str();
    out.type = network->text.c_str();
    out.dtype = static_cast<planish_dtype>(found.type.dtype);
    out.rank = found.type.shape.rank();
    for (int axis = 0; axis < out.rank; ++axis)
      out.extents[axis] = found.type.shape[axis].is_constant() ? found.type.shape[axis].value() : -1;
    out.producer = found.producer.index;
    out.result = found.result;
    out.is_input = std::count(graph.inputs().begin(), graph.inputs().end(), id) > 0 ? 1 : 0;
    out.is_output = graph.is_output(id) ? 1 : 0;
    out.is_constant = found.is_constant() ? 1 : 0;
    out.data = found.is_constant() ? found.constant.data() : nullptr;
    write_sized(info, out, "planish_value_info");
  });
}

planish_status planish_network_get_extent(const planish_network* network, planish_value value, int32_t axis,
                                          const char** text) {
  return guarded([&] {
    const Shape& shape = required(network, "the network").graph.value(api::value_at(*network, value)).type.shape;
    if (axis < 0 || axis >= shape.rank()) fail(Code::invalid_argument, "axis {} of {}", axis, shape.rank());
    network->text = shape[axis].str();
    required(text, "the result") = network->text.c_str();
  });
}

planish_status planish_network_get_node(const planish_network* network, planish_node node, planish_node_info* info) {
  return guarded([&] {
    const Node& found = required(network, "the network").graph.node(api::node_at(*network, node));
    write_sized(info,
                {0, found.op.str().c_str(), found.name.c_str(), static_cast<int32_t>(found.inputs.size()),
                 static_cast<int32_t>(found.outputs.size()), static_cast<int32_t>(found.attrs.entries().size())},
                "planish_node_info");
  });
}

planish_value planish_network_node_input(const planish_network* network, planish_node node, int32_t index) {
  if (network == nullptr || !network->graph.alive(NodeId{node})) return -1;
  return id_at(network->graph.node(NodeId{node}).inputs, index);
}

planish_value planish_network_node_output(const planish_network* network, planish_node node, int32_t index) {
  if (network == nullptr || !network->graph.alive(NodeId{node})) return -1;
  return id_at(network->graph.node(NodeId{node}).outputs, index);
}

planish_status planish_network_get_attr(const planish_network* network, planish_node node, int32_t index,
                                        planish_attr* attr) {
  return guarded([&] {
    const auto& entries = required(network, "the network").graph.node(api::node_at(*network, node)).attrs.entries();
    if (index < 0 || static_cast<size_t>(index) >= entries.size())
      fail(Code::invalid_argument, "attribute {} of {}", index, entries.size());
    network->attrs = {entries[static_cast<size_t>(index)]};
    network->c_attrs = std::make_unique<CAttrs>(network->attrs);
    write_sized(attr, *network->c_attrs->data(), "planish_attr");
  });
}

planish_status planish_network_text(const planish_network* network, const char** text) {
  return guarded([&] {
    network->text = print(required(network, "the network").graph);
    required(text, "the result") = network->text.c_str();
  });
}

}  // extern "C"
