#include "importers/plugins/table/plugin_table.h"

#include <cmath>

namespace planish::plugins {
namespace {

const char* wanted_kind(const AttrValue& kind) {
  if (std::holds_alternative<int64_t>(kind)) return "an integer";
  if (std::holds_alternative<double>(kind)) return "a number";
  if (std::holds_alternative<std::string>(kind)) return "a text";
  if (std::holds_alternative<std::vector<int64_t>>(kind)) return "a list of integers";
  return "a list of numbers";
}

std::string found_text(const AttrValue& value) {
  if (const auto* tensor = std::get_if<Tensor>(&value)) return "is a tensor " + tensor->type().str();
  const std::string text = Attrs{{"is", value}}.str();  // {is=5}
  return "is " + text.substr(4, text.size() - 5);
}

// The elements as numbers; nothing for a text or a type.
std::optional<std::vector<double>> numbers_of(const AttrValue& value) {
  if (const auto* v = std::get_if<int64_t>(&value)) return std::vector<double>{static_cast<double>(*v)};
  if (const auto* v = std::get_if<double>(&value)) return std::vector<double>{*v};
  if (const auto* v = std::get_if<std::vector<int64_t>>(&value)) return std::vector<double>(v->begin(), v->end());
  if (const auto* v = std::get_if<std::vector<double>>(&value)) return *v;
  const auto* tensor = std::get_if<Tensor>(&value);
  if (tensor == nullptr || tensor->dtype() == DataType::string || !tensor->present()) return {};
  return tensor->to_doubles();
}

std::optional<std::vector<int64_t>> whole(const std::vector<double>& numbers) {
  std::vector<int64_t> integers;
  for (double number : numbers) {
    if (number != std::floor(number) || std::abs(number) > 9e15) return {};
    integers.push_back(static_cast<int64_t>(number));
  }
  return integers;
}

Tensor weights_of(const AttrValue& value, const std::vector<double>& numbers) {
  const auto* tensor = std::get_if<Tensor>(&value);
  if (tensor != nullptr && tensor->dtype() == DataType::f32) return *tensor;
  const std::vector<float> values(numbers.begin(), numbers.end());
  return Tensor::of<float>(tensor != nullptr ? tensor->extents() : std::vector<int64_t>{std::ssize(values)}, values);
}

// The value as the field's kind; nothing when it cannot be.
std::optional<AttrValue> brought(const AttrValue& value, const AttrValue& kind) {
  if (std::holds_alternative<std::string>(kind)) {
    if (!std::holds_alternative<std::string>(value)) return {};
    return value;
  }
  const auto numbers = numbers_of(value);
  if (!numbers) return {};
  if (std::holds_alternative<Tensor>(kind)) return weights_of(value, *numbers);
  if (std::holds_alternative<std::vector<double>>(kind)) return *numbers;
  if (std::holds_alternative<double>(kind)) {
    if (numbers->size() != 1) return {};
    return numbers->front();
  }
  const auto integers = whole(*numbers);
  if (!integers) return {};
  if (std::holds_alternative<std::vector<int64_t>>(kind)) return *integers;
  if (integers->size() != 1) return {};
  return integers->front();
}

std::string field_names(const PluginRow& row) {
  std::string names;
  for (const Field& field : row.fields) names += (names.empty() ? "" : ", ") + field.name;
  return names.empty() ? "it has none" : "accepted: " + names;
}

bool is_address(std::string_view name) {
  for (std::string_view other : {"plugin_version", "plugin_namespace", "version", "namespace", "name"})
    if (name == other) return true;
  return false;
}

void check_version(const PluginRow& row, const Attrs& given) {
  const AttrValue* version = given.find("plugin_version");
  if (version == nullptr) return;
  const auto* text = std::get_if<std::string>(version);
  std::string known;
  for (const Version& one : row.versions) {
    if (text != nullptr && *text == one.name) return;
    known += (known.empty() ? "" : ", ") + one.name;
  }
  fail(Code::unsupported, "the version of plugin '{}' {}; accepted: {}", row.name, found_text(*version), known);
}

}  // namespace

void PluginTable::add(PluginRow row) {
  const std::string name = row.name;
  if (!rows_.emplace(name, std::move(row)).second) fail(Code::internal, "two plugins '{}'", name);
}

const PluginRow* PluginTable::find(std::string_view name) const {
  const auto at = rows_.find(name);
  return at == rows_.end() ? nullptr : &at->second;
}

std::vector<const PluginRow*> PluginTable::rows() const {
  std::vector<const PluginRow*> list;
  for (const auto& [name, row] : rows_) list.push_back(&row);
  return list;
}

Attrs checked_fields(const PluginRow& row, const Attrs& given) {
  check_version(row, given);
  Attrs fields;
  for (const Field& field : row.fields) {
    const AttrValue* value = given.find(field.name);
    if (value == nullptr) {
      if (field.required)
        fail(Code::invalid_model, "field '{}' is missing; {} is accepted", field.name, wanted_kind(field.fallback));
      fields.set(field.name, field.fallback);
      continue;
    }
    auto fitting = brought(*value, field.fallback);
    if (!fitting)
      fail(Code::invalid_model, "field '{}' {}; {} is accepted", field.name, found_text(*value),
           wanted_kind(field.fallback));
    fields.set(field.name, std::move(*fitting));
  }
  for (const auto& [name, value] : given.entries())
    if (!fields.has(name) && !is_address(name))
      fail(Code::invalid_model, "there is no field '{}'; {}", name, field_names(row));
  return fields;
}

std::vector<ValueId> expand(Graph& graph, PluginNode node) {
  const PluginRow* row = plugin_table().find(node.type);
  if (row == nullptr) fail(Code::not_found, "no plugin '{}' ships with the library", node.type);
  while (!node.inputs.empty() && !node.inputs.back().valid()) node.inputs.pop_back();
  const int found = static_cast<int>(node.inputs.size());
  if (found < row->least || (row->most >= 0 && found > row->most))
    fail(Code::invalid_model, "{} operands; {} are accepted", found,
         row->most < 0             ? fmt::format("{} and more", row->least)
         : row->least == row->most ? std::to_string(row->least)
                                   : fmt::format("{} to {}", row->least, row->most));
  PluginContext context(graph, *row, node, checked_fields(*row, node.attrs));
  row->expand(context);
  std::vector<ValueId> results = context.given();
  // A result is a value of its own, whatever it comes from.
  for (ValueId& result : results)
    if (!graph.value(result).producer.valid() ||
        std::find(node.inputs.begin(), node.inputs.end(), result) != node.inputs.end())
      result = context.add("identity", {result});
  return results;
}

const Shape& PluginContext::shape(size_t i, int least, int most) {
  const TensorType& type = value(input(i)).type;
  if (type.shape.rank() < least || type.shape.rank() > most)
    fail(Code::invalid_model, "operand {} is {}; rank {} is accepted", i, type.str(),
         least == most ? std::to_string(least) : fmt::format("{} to {}", least, most));
  return type.shape;
}

ValueId PluginContext::weights(std::string_view name, std::vector<int64_t> extents) {
  const Tensor& given = fields_.get<Tensor>(name);
  const int64_t wanted = Shape(std::vector<Dim>(extents.begin(), extents.end())).element_count().value();
  if (given.element_count() != wanted)
    fail(Code::invalid_model, "field '{}' has {} elements; {} are accepted", name, given.element_count(), wanted);
  return constant(given.reshaped(std::move(extents)));
}

int64_t PluginContext::weight_count(std::string_view name) const { return fields_.get<Tensor>(name).element_count(); }

int64_t PluginContext::integer_in(std::string_view name, int64_t least, int64_t most) const {
  const int64_t value = integer(name);
  if (value < least || value > most)
    fail(Code::invalid_model, "field '{}' is {}; {} to {} is accepted", name, value, least, most);
  return value;
}

}  // namespace planish::plugins
