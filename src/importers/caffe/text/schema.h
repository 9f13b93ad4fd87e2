#pragma once
// The messages of Caffe's text format and their fields: what a network may say at all.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace planish::caffe::text {

enum class Kind { integer, number, flag, text, choice, message };

struct MessageType;

// Names in the order of their declaration, with their numbers.
using EnumType = std::vector<std::pair<std::string, int64_t>>;

struct Field {
  std::string name, type;  // "pad", "uint32"
  Kind kind = Kind::text;
  bool repeated = false;
  int64_t least = 0, most = 0;           // of integers
  const EnumType* choices = nullptr;     // of choices
  const MessageType* message = nullptr;  // of messages
};

struct MessageType {
  std::string name;
  std::vector<Field> fields;

  const Field* find(std::string_view field) const;
};

const MessageType& message_type(std::string_view name);  // Error(internal) for a name that is not in the table

// " (did you mean 'x'?)" of the name that is nearest to what was written; "" where none is near.
std::string suggestion(std::string_view written, const std::vector<std::string>& names);

// The rows of schema_table.cpp: {name, "field:type* …"} and {name, "NAME=number …"}; * marks repeated fields.
struct SchemaRow {
  const char *name, *content;
};
std::span<const SchemaRow> message_rows();
std::span<const SchemaRow> enum_rows();

}  // namespace planish::caffe::text
