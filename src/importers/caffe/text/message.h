#pragma once
// Message: one message of a network's text, field by field as it was written.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "importers/caffe/text/schema.h"

namespace planish::caffe::text {

// Both count from 1; 0: not from a text.
struct Place {
  int line = 0, column = 0;
};

class Message;

struct Entry {
  const Field* field = nullptr;
  Place place;
  // By the field's kind; a choice is its number.
  std::variant<int64_t, double, bool, std::string, std::unique_ptr<Message>> value;
};

// Readers name a field that the schema has (Error(internal) otherwise) and of that kind; what is absent is `fallback`.
class Message {
 public:
  explicit Message(const MessageType& type, Place place = {}) : type_(&type), place_(place) {}

  const MessageType& type() const { return *type_; }
  Place place() const { return place_; }
  const std::vector<Entry>& entries() const { return entries_; }
  void add(Entry entry) { entries_.push_back(std::move(entry)); }

  bool has(std::string_view field) const { return find(field, nullptr) != nullptr; }
  int64_t integer(std::string_view field, int64_t fallback = 0) const;
  double number(std::string_view field, double fallback = 0) const;
  bool flag(std::string_view field, bool fallback = false) const;
  std::string text(std::string_view field, std::string fallback = "") const;
  std::string choice(std::string_view field, std::string fallback) const;  // its name
  const Message& message(std::string_view field) const;                    // an empty one where it is absent
  std::vector<int64_t> integers(std::string_view field) const;
  std::vector<double> numbers(std::string_view field) const;
  std::vector<std::string> texts(std::string_view field) const;
  std::vector<const Message*> messages(std::string_view field) const;

 private:
  // The first entry of the field; `kind`: what it must be.
  const Entry* find(std::string_view field, const Kind* kind) const;
  const Field& field_of(std::string_view field, const Kind* kind) const;
  template <class T>
  std::vector<T> all(std::string_view field, Kind kind) const;

  const MessageType* type_;
  Place place_;
  std::vector<Entry> entries_;
};

}  // namespace planish::caffe::text
