#include "importers/caffe/text/message.h"

#include "base/error.h"

namespace planish::caffe::text {

const Field& Message::field_of(std::string_view name, const Kind* kind) const {
  const Field* field = type_->find(name);
  if (field == nullptr || (kind != nullptr && field->kind != *kind))
    fail(Code::internal, "field '{}' of {} is not in the table of Caffe's fields", name, type_->name);
  return *field;
}

const Entry* Message::find(std::string_view name, const Kind* kind) const {
  const Field& field = field_of(name, kind);
  for (const Entry& entry : entries_)
    if (entry.field == &field) return &entry;
  return nullptr;
}

int64_t Message::integer(std::string_view field, int64_t fallback) const {
  constexpr Kind kKind = Kind::integer;
  const Entry* entry = find(field, &kKind);
  return entry == nullptr ? fallback : std::get<int64_t>(entry->value);
}

double Message::number(std::string_view field, double fallback) const {
  constexpr Kind kKind = Kind::number;
  const Entry* entry = find(field, &kKind);
  return entry == nullptr ? fallback : std::get<double>(entry->value);
}

bool Message::flag(std::string_view field, bool fallback) const {
  constexpr Kind kKind = Kind::flag;
  const Entry* entry = find(field, &kKind);
  return entry == nullptr ? fallback : std::get<bool>(entry->value);
}

std::string Message::text(std::string_view field, std::string fallback) const {
  constexpr Kind kKind = Kind::text;
  const Entry* entry = find(field, &kKind);
  return entry == nullptr ? std::move(fallback) : std::get<std::string>(entry->value);
}

std::string Message::choice(std::string_view field, std::string fallback) const {
  constexpr Kind kKind = Kind::choice;
  const Entry* entry = find(field, &kKind);
  if (entry == nullptr) return fallback;
  for (const auto& [name, number] : *entry->field->choices)
    if (number == std::get<int64_t>(entry->value)) return name;
  return fallback;
}

const Message& Message::message(std::string_view name) const {
  constexpr Kind kKind = Kind::message;
  if (const Entry* entry = find(name, &kKind)) return *std::get<std::unique_ptr<Message>>(entry->value);
  static std::map<const MessageType*, Message>* const empty = new std::map<const MessageType*, Message>([] {
    std::map<const MessageType*, Message> messages;
    for (const SchemaRow& row : message_rows())
      messages.emplace(&message_type(row.name), Message(message_type(row.name)));
    return messages;
  }());
  return empty->at(field_of(name, nullptr).message);
}

template <class T>
std::vector<T> Message::all(std::string_view name, Kind kind) const {
  const Field& field = field_of(name, &kind);
  std::vector<T> values;
  for (const Entry& entry : entries_)
    if (entry.field == &field) values.push_back(std::get<T>(entry.value));
  return values;
}

std::vector<int64_t> Message::integers(std::string_view field) const { return all<int64_t>(field, Kind::integer); }
std::vector<double> Message::numbers(std::string_view field) const { return all<double>(field, Kind::number); }
std::vector<std::string> Message::texts(std::string_view field) const { return all<std::string>(field, Kind::text); }

std::vector<const Message*> Message::messages(std::string_view name) const {
  constexpr Kind kKind = Kind::message;
  const Field& field = field_of(name, &kKind);
  std::vector<const Message*> values;
  for (const Entry& entry : entries_)
    if (entry.field == &field) values.push_back(std::get<std::unique_ptr<Message>>(entry.value).get());
  return values;
}

}  // namespace planish::caffe::text
