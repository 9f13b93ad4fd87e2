#pragma once
// Attributes to and from their form in the C interface.

#include <deque>
#include <span>
#include <string>
#include <vector>

#include "planish/planish_plugin.h"
#include "tensor/attrs.h"

namespace planish {

// One value; Error(invalid_argument) names the attribute for an unknown kind, NULL with a count, or sizes that
// do not fit. Copies.
Attrs::Entry from_c(const planish_attr& given);
Attrs from_c(std::span<const planish_attr> given);

// Points into `attrs`, which must live as long; extents given as expressions are refused (Error(unsupported)).
class CAttrs {
 public:
  explicit CAttrs(const Attrs& attrs);
  CAttrs(const CAttrs&) = delete;
  CAttrs& operator=(const CAttrs&) = delete;
  const planish_attr* data() const { return entries_.data(); }
  size_t size() const { return entries_.size(); }

 private:
  void add(const Attrs::Entry& entry);
  std::vector<planish_attr> entries_;
  std::deque<std::vector<const char*>> texts_;
};

}  // namespace planish
