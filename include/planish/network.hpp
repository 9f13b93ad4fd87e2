// Network: a network built by hand, or read from a file, before it becomes a plan.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "planish/attributes.hpp"
#include "planish/device.hpp"
#include "planish/import.hpp"
#include "planish/planish_build.h"

namespace planish {
inline namespace v0 {

// A tensor of a network: an input, a constant, or a node's result. Default: an optional operand that is absent.
struct Value {
  planish_value id = -1;
  bool present() const { return id >= 0; }
  friend bool operator==(Value, Value) = default;
};

struct Node {
  planish_node id = -1;
  friend bool operator==(Node, Node) = default;
};

// Operators are those of ONNX (opset 23) in snake_case with the same operands, attributes and defaults; adding one
// checks it and infers the types of its results. layers.hpp has a function for each of the usual layers. Serves one
// thread at a time; Values and Nodes belong to their network. A call that throws has changed nothing.
class Network {
 public:
  explicit Network(const std::string& name = {}) {
    planish_network* made = nullptr;
    detail::check(planish_network_create(name.c_str(), &made));
    handle_.reset(made);
  }
  // Reads an .onnx file, whose dynamic axes of inputs become 1 where no range names them, or a .prototxt with its
  // weights. Error(unsupported) lists every operator that cannot be taken.
  static Network import_file(const std::string& path, const InputRanges& ranges = {},
                             const ImportOptions& options = {}) {
    return imported(path, {}, ranges, options);
  }
  // The ending of the name tells the format.
  static Network import_bytes(std::span<const std::byte> bytes, const std::string& name, const InputRanges& ranges = {},
                              const ImportOptions& options = {}) {
    static constexpr std::byte none{};
    return imported(name, bytes.data() == nullptr ? std::span(&none, 0) : bytes, ranges, options);
  }
  // Owns what the C interface made.
  static Network take(planish_network* made) { return Network(made); }
  // As bytes, and back.
  std::string bytes() const {
    std::string all;
    const planish_write_fn append = [](void* user, const void* data, size_t size) {
      static_cast<std::string*>(user)->append(static_cast<const char*>(data), size);
      return int32_t{1};
    };
    detail::check(planish_network_write(handle(), append, &all));
    return all;
  }
  static Network of_bytes(const std::string& bytes) {
    planish_network* made = nullptr;
    detail::check(planish_network_read(bytes.data(), bytes.size(), &made));
    return Network(made);
  }
  // Gives it back to the C interface.
  planish_network* release() && { return handle_.release(); }
  Network clone() const {
    planish_network* made = nullptr;
    detail::check(planish_network_clone(handle(), &made));
    return Network(made);
  }

  // --- making

  // An extent is a number, a name (extents of one name are equal: {"N", 3, 224, 224}), or -1: dynamic on its own.
  Value input(const std::string& name, DataType dtype, const std::vector<Dim>& dims) {
    std::vector<int64_t> extents;
    std::vector<const char*> symbols;
    for (const Dim& dim : dims) {
      const bool named = !dim.is_number() && dim.text() != "-1";
      extents.push_back(dim.is_number() ? dim.value() : -1);
      symbols.push_back(named ? dim.text().c_str() : nullptr);
    }
    Value value;
    detail::check(planish_network_add_input(handle(), name.c_str(), static_cast<planish_dtype>(dtype), extents.data(),
                                            symbols.data(), static_cast<int32_t>(dims.size()), &value.id));
    return value;
  }
  // Copies the data.
  Value constant(DataType dtype, const Extents& extents, const void* data, const std::string& name = {}) {
    Value value;
    detail::check(planish_network_add_constant(handle(), name.c_str(), static_cast<planish_dtype>(dtype),
                                               extents.data(), static_cast<int32_t>(extents.size()), data, &value.id));
    return value;
  }
  template <class T>
  Value constant(const Extents& extents, const std::vector<T>& values, const std::string& name = {}) {
    if (static_cast<int64_t>(values.size()) != element_count(extents))
      throw Error(Code::invalid_argument, "a constant of " + std::to_string(element_count(extents)) + " elements, " +
                                              std::to_string(values.size()) + " were given");
    return constant(DataTypeOf<T>::value, extents, values.data(), name);
  }
  template <class T>
  Value scalar(T value) {
    return constant(DataTypeOf<T>::value, {}, &value);
  }
  Value ints(const std::vector<int64_t>& values) { return constant({static_cast<int64_t>(values.size())}, values); }

  // output_count -1: as many as the operator has; needed where operands do not tell (split).
  Node add_node(const std::string& op, const std::vector<Value>& operands, const Attributes& attributes = {},
                const std::string& name = {}, int output_count = -1) {
    const auto inputs = ids(operands);
    const detail::CAttributes attrs(attributes);
    Node node;
    detail::check(planish_network_add_node(handle(), op.c_str(), name.c_str(), inputs.data(), inputs.size(),
                                           attrs.data(), attrs.size(), output_count, &node.id));
    return node;
  }
  // As a node of `source` is, a network that this one was made from or a copy of it.
  Node add_like(const Network& source, Node like, const std::vector<Value>& operands, const std::string& name = {}) {
    const auto inputs = ids(operands);
    Node node;
    detail::check(planish_network_add_like(handle(), source.handle(), like.id, name.c_str(), inputs.data(),
                                           inputs.size(), &node.id));
    return node;
  }
  // A node with one result that matters: its first.
  Value add(const std::string& op, const std::vector<Value>& operands, const Attributes& attributes = {},
            const std::string& name = {}) {
    return outputs(add_node(op, operands, attributes, name)).at(0);
  }
  // Runs `then` or `otherwise`; `operands` become the inputs of both, in order.
  Node add_if(Value condition, const std::vector<Value>& operands, const Network& then, const Network& otherwise,
              const std::string& name = {}) {
    std::vector<planish_value> inputs = {condition.id};
    for (Value operand : operands) inputs.push_back(operand.id);
    const planish_network* bodies[] = {then.handle(), otherwise.handle()};
    Node node;
    detail::check(planish_network_add_control(handle(), "if", name.c_str(), inputs.data(), inputs.size(), nullptr, 0,
                                              bodies, 2, &node.id));
    return node;
  }
  // The body takes the turn (i64), the condition (bool), `state`, `captured`, and gives the next condition, the next
  // state, and rows; the node the last state, and the rows stacked along a new first axis. `trips` and `condition` may
  // be absent.
  Node add_loop(Value trips, Value condition, const std::vector<Value>& state, const std::vector<Value>& captured,
                const Network& body, const std::string& name = {}) {
    std::vector<planish_value> inputs = {trips.id, condition.id};
    for (const auto* list : {&state, &captured})
      for (Value value : *list) inputs.push_back(value.id);
    Node node;
    detail::check(planish_network_add_loop(handle(), name.c_str(), inputs.data(), inputs.size(), state.size(),
                                           body.handle(), &node.id));
    return node;
  }
  // What an operator of ONNX that stands for several becomes: "Einsum", "Attention", ...
  std::vector<Value> expand(const std::string& op, const std::vector<Value>& operands,
                            const Attributes& attributes = {}, const std::string& name = {}, int output_count = 1) {
    const auto inputs = ids(operands);
    const detail::CAttributes attrs(attributes);
    std::vector<planish_value> results(static_cast<size_t>(output_count > 0 ? output_count : 0));
    detail::check(planish_network_expand(handle(), op.c_str(), name.c_str(), inputs.data(), inputs.size(), attrs.data(),
                                         attrs.size(), output_count, results.data()));
    return values(results);
  }
  // The nodes of another network, whose inputs are `operands`; the values of its outputs.
  std::vector<Value> append(const Network& other, const std::vector<Value>& operands) {
    const auto inputs = ids(operands);
    std::vector<planish_value> results(other.outputs().size());
    detail::check(planish_network_append(handle(), other.handle(), inputs.data(), inputs.size(), results.data()));
    return values(results);
  }
  // The nodes that depend on `inputs` and that `outputs` need. What they take from around them becomes further inputs,
  // and is added to `captured`.
  Network extract(const std::vector<Value>& inputs, const std::vector<Value>& outputs,
                  std::vector<Value>& captured) const {
    const auto from = ids(inputs), to = ids(outputs);
    planish_network* made = nullptr;
    size_t count = 0;
    detail::check(
        planish_network_extract(handle(), from.data(), from.size(), to.data(), to.size(), &made, nullptr, &count));
    Network counted(made);
    std::vector<planish_value> found(count);
    detail::check(
        planish_network_extract(handle(), from.data(), from.size(), to.data(), to.size(), &made, found.data(), &count));
    for (planish_value id : found) captured.push_back({id});
    return Network(made);
  }
  // A registered plugin; `attributes` go to its creator.
  Node add_plugin(const std::string& plugin, const std::vector<Value>& operands, const Attributes& attributes = {},
                  const std::string& name = {}) {
    const auto inputs = ids(operands);
    const detail::CAttributes attrs(attributes);
    Node node;
    detail::check(planish_network_add_plugin(handle(), plugin.c_str(), name.c_str(), inputs.data(), inputs.size(),
                                             attrs.data(), attrs.size(), &node.id));
    return node;
  }
  // A plugin that ships with the library: its results. Names and fields are those of TensorRT's.
  std::vector<Value> add_shipped_plugin(const std::string& plugin, const std::vector<Value>& operands,
                                        const Attributes& fields = {}, const std::string& name = {}) {
    const auto inputs = ids(operands);
    const detail::CAttributes attrs(fields);
    int32_t count = 0;
    detail::check(planish_shipped_plugin_outputs(plugin.c_str(), attrs.data(), attrs.size(), &count));
    std::vector<planish_value> made(static_cast<size_t>(count));
    detail::check(planish_network_add_shipped_plugin(handle(), plugin.c_str(), name.c_str(), inputs.data(),
                                                     inputs.size(), attrs.data(), attrs.size(), made.data()));
    std::vector<Value> results;
    for (planish_value value : made) results.push_back({value});
    return results;
  }
  void mark_output(Value value, const std::string& name = {}) {
    detail::check(planish_network_mark_output(handle(), value.id, name.c_str()));
  }
  void unmark_output(Value value) { detail::check(planish_network_unmark_output(handle(), value.id)); }
  // Range of a named extent, for builds without profiles.
  void set_range(const std::string& symbol, int64_t min, int64_t opt, int64_t max) {
    detail::check(planish_network_set_range(handle(), symbol.c_str(), min, opt, max));
  }

  // --- changing; the types of all that follows are inferred again

  void set_name(Value value, const std::string& name) {
    detail::check(planish_network_set_value_name(handle(), value.id, name.c_str()));
  }
  void set_name(Node node, const std::string& name) {
    detail::check(planish_network_set_node_name(handle(), node.id, name.c_str()));
  }
  void set_attribute(Node node, const Attribute& attribute) {
    const Attributes attributes{attribute};
    const detail::CAttributes attrs(attributes);
    detail::check(planish_network_set_attr(handle(), node.id, attrs.data()));
  }
  void erase_attribute(Node node, const std::string& name) {
    detail::check(planish_network_erase_attr(handle(), node.id, name.c_str()));
  }
  void set_operand(Node node, size_t index, Value value) {
    detail::check(planish_network_set_node_input(handle(), node.id, index, value.id));
  }
  // Other elements of a constant, of its type and extents.
  void set_constant(Value value, const void* data) {
    detail::check(planish_network_set_constant(handle(), value.id, data));
  }
  void remove(Node node) { detail::check(planish_network_remove_node(handle(), node.id)); }

  // --- reading

  std::string name() const { return planish_network_name(handle()); }
  std::vector<Value> inputs() const {
    std::vector<Value> all;
    for (int i = 0, n = planish_network_input_count(handle()); i < n; ++i)
      all.push_back({planish_network_input(handle(), i)});
    return all;
  }
  std::vector<Value> outputs() const {
    std::vector<Value> all;
    for (int i = 0, n = planish_network_output_count(handle()); i < n; ++i)
      all.push_back({planish_network_output(handle(), i)});
    return all;
  }
  std::vector<Node> nodes() const {  // in order of execution
    std::vector<Node> all;
    for (int i = 0, n = planish_network_node_count(handle()); i < n; ++i)
      all.push_back({planish_network_node(handle(), i)});
    return all;
  }
  std::optional<Value> find(const std::string& name) const {
    const Value value{planish_network_find_value(handle(), name.c_str())};
    return value.present() ? std::optional(value) : std::nullopt;
  }

  std::string name(Value value) const { return info(value).name; }
  DataType dtype(Value value) const { return static_cast<DataType>(info(value).dtype); }
  Extents extents(Value value) const {  // -1: depends on the inputs'
    const auto found = info(value);
    return Extents(found.extents, found.extents + found.rank);
  }
  TensorType type(Value value) const { return TensorType::parse(info(value).type); }  // extents as expressions
  bool is_input(Value value) const { return info(value).is_input != 0; }
  bool is_output(Value value) const { return info(value).is_output != 0; }
  bool is_constant(Value value) const { return info(value).is_constant != 0; }
  const void* constant_data(Value value) const { return info(value).data; }  // null: not a constant
  std::optional<Node> producer(Value value) const {
    const Node node{info(value).producer};
    return node.id < 0 ? std::nullopt : std::optional(node);
  }

  std::string op(Node node) const { return info(node).op; }
  std::string name(Node node) const { return info(node).name; }
  std::vector<Value> operands(Node node) const {
    std::vector<Value> all;
    for (int i = 0, n = info(node).input_count; i < n; ++i)
      all.push_back({planish_network_node_input(handle(), node.id, i)});
    return all;
  }
  std::vector<Value> outputs(Node node) const {
    std::vector<Value> all;
    for (int i = 0, n = info(node).output_count; i < n; ++i)
      all.push_back({planish_network_node_output(handle(), node.id, i)});
    return all;
  }
  Value output(Node node, size_t index = 0) const { return outputs(node).at(index); }
  Attributes attributes(Node node) const {
    Attributes all;
    for (int i = 0, n = info(node).attr_count; i < n; ++i) {
      auto attr = detail::sized<planish_attr>();
      detail::check(planish_network_get_attr(handle(), node.id, i, &attr));
      all.add(detail::attribute_of(attr));
    }
    return all;
  }
  std::string text() const {  // the whole network, exactly
    const char* text = nullptr;
    detail::check(planish_network_text(handle(), &text));
    return text;
  }

  planish_network* handle() const { return handle_.get(); }

 private:
  explicit Network(planish_network* handle) : handle_(handle) {}
  static Network imported(const std::string& path, std::span<const std::byte> bytes, const InputRanges& ranges,
                          const ImportOptions& options) {
    const auto c = detail::c_ranges(ranges);
    auto given = detail::sized<planish_import_options>();
    given.path = detail::c_path(path);
    given.bytes = bytes.data();
    given.size = bytes.size();
    given.ranges = c.data();
    given.range_count = c.size();
    given.keep_dynamic = options.keep_dynamic ? 1 : 0;
    given.weights = options.weights.empty() ? nullptr : detail::c_path(options.weights);
    given.weights_bytes = options.weights_bytes.data();
    given.weights_size = options.weights_bytes.size();
    given.random_weights = options.random_weights ? 1 : 0;
    given.keep_values = options.keep_values ? 1 : 0;
    given.batch = options.batch.empty() ? nullptr : options.batch.c_str();
    given.half_weights = options.half_weights ? 1 : 0;
    planish_network* made = nullptr;
    detail::check(planish_network_import_with(&given, &made));
    return Network(made);
  }
  static std::vector<planish_value> ids(const std::vector<Value>& values) {
    std::vector<planish_value> list;
    for (Value value : values) list.push_back(value.id);
    return list;
  }
  static std::vector<Value> values(const std::vector<planish_value>& list) {
    std::vector<Value> all;
    for (planish_value id : list) all.push_back({id});
    return all;
  }
  planish_value_info info(Value value) const {
    auto info = detail::sized<planish_value_info>();
    detail::check(planish_network_get_value(handle(), value.id, &info));
    return info;
  }
  planish_node_info info(Node node) const {
    auto info = detail::sized<planish_node_info>();
    detail::check(planish_network_get_node(handle(), node.id, &info));
    return info;
  }

  detail::Handle<planish_network, planish_network_destroy> handle_;
};

}  // namespace v0
}  // namespace planish
