#pragma once
// Matcher: patterns of values, written as the expression they match.
//
//   auto pattern = op("mul", {op("conv", {any(), constant()}).as("conv"), constant().as("scale")}).commutative();
//   if (Match m = match(graph, value, pattern)) … m.node("conv"), m["scale"]
//
// An inner node matches only if its result has a single use and is no graph output, unless .shared().

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace planish {

class Pattern;

struct Match {
  bool found = false;
  std::map<std::string, ValueId, std::less<>> values;
  std::map<std::string, NodeId, std::less<>> nodes;
  explicit operator bool() const { return found; }
  ValueId operator[](std::string_view name) const;  // of .as(name); Error(internal) when not in the pattern
  NodeId node(std::string_view name) const;         // producer of the value captured as `name`
};

class Pattern {
 public:
  using Guard = std::function<bool(const Graph&, ValueId)>;

  // Captures the value (and its node). A second capture of the same name matches the same value only.
  Pattern as(std::string_view name) const;
  Pattern where(Guard guard) const;
  Pattern commutative() const;  // tries the two operands both ways
  Pattern shared() const;       // other uses are allowed
  Pattern or_else(Pattern alternative) const;

  struct Term;
  std::shared_ptr<const Term> term;
};

Pattern any();
Pattern constant();  // any constant
// A constant all of whose elements are within 1e-6 relative of `value`, or what f16 or bf16 make of it: networks that
// were written in 16 bits keep such constants when they are widened.
Pattern constant(double value);
// Operands beyond the list are not constrained; a trailing optional operand that is absent matches absent().
Pattern op(std::string_view name, std::initializer_list<Pattern> operands = {});
Pattern op(std::initializer_list<std::string_view> names, std::initializer_list<Pattern> operands);
Pattern absent();

Match match(const Graph& graph, ValueId value, const Pattern& pattern);

}  // namespace planish
