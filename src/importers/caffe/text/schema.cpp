#include "importers/caffe/text/schema.h"

#include <algorithm>
#include <sstream>

#include "base/error.h"

namespace planish::caffe::text {
namespace {

struct Schema {
  std::map<std::string, EnumType, std::less<>> enums;
  std::map<std::string, MessageType, std::less<>> messages;
};

void set_kind(Field& field, const Schema& schema) {
  const auto integers = [&](int64_t least, int64_t most) {
    field.kind = Kind::integer;
    field.least = least;
    field.most = most;
  };
  if (field.type == "int32") return integers(INT32_MIN, INT32_MAX);
  if (field.type == "uint32") return integers(0, UINT32_MAX);
  if (field.type == "int64") return integers(INT64_MIN, INT64_MAX);
  if (const auto choices = schema.enums.find(field.type); choices != schema.enums.end()) {
    field.kind = Kind::choice;
    field.choices = &choices->second;
  } else if (const auto message = schema.messages.find(field.type); message != schema.messages.end()) {
    field.kind = Kind::message;
    field.message = &message->second;
  } else {
    field.kind = field.type == "bool" ? Kind::flag : field.type == "string" ? Kind::text : Kind::number;
  }
}

Field field_of(const std::string& item, const Schema& schema) {
  Field field;
  const size_t colon = item.find(':');
  field.name = item.substr(0, colon);
  field.type = item.substr(colon + 1);
  field.repeated = field.type.back() == '*';
  if (field.repeated) field.type.pop_back();
  set_kind(field, schema);
  return field;
}

Schema make_schema() {
  Schema schema;
  for (const SchemaRow& row : enum_rows()) {
    std::istringstream items(row.content);
    for (std::string item; items >> item;) {
      const size_t equals = item.find('=');
      schema.enums[row.name].emplace_back(item.substr(0, equals), std::stoll(item.substr(equals + 1)));
    }
  }
  for (const SchemaRow& row : message_rows()) schema.messages[row.name].name = row.name;
  for (const SchemaRow& row : message_rows()) {
    std::istringstream items(row.content);
    for (std::string item; items >> item;) schema.messages[row.name].fields.push_back(field_of(item, schema));
  }
  return schema;
}

// How many letters must be added, taken away or changed.
size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t k = 0; k <= b.size(); ++k) row[k] = k;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t k = 1; k <= b.size(); ++k) {
      const size_t changed = diagonal + (a[i - 1] == b[k - 1] ? 0 : 1);
      diagonal = row[k];
      row[k] = std::min({row[k] + 1, row[k - 1] + 1, changed});
    }
  }
  return row.back();
}

}  // namespace

const Field* MessageType::find(std::string_view field) const {
  for (const Field& candidate : fields)
    if (candidate.name == field) return &candidate;
  return nullptr;
}

const MessageType& message_type(std::string_view name) {
  static const Schema* const schema = new Schema(make_schema());  // its parts point at each other
  const auto at = schema->messages.find(name);
  if (at == schema->messages.end()) fail(Code::internal, "no message '{}' of Caffe", name);
  return at->second;
}

std::string suggestion(std::string_view written, const std::vector<std::string>& names) {
  constexpr size_t kLongest = 64;
  if (written.size() > kLongest) return "";
  const std::string* best = nullptr;
  size_t least = written.size() / 3 + 2;
  for (const std::string& name : names)
    if (const size_t edits = edits_between(written, name); edits < least) {
      least = edits;
      best = &name;
    }
  return best == nullptr ? "" : fmt::format(" (did you mean '{}'?)", *best);
}

}  // namespace planish::caffe::text
