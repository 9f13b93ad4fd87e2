#pragma once
// Dim: an extent as an integer expression over named symbols.
//
// Expressions are hash-consed in canonical form (sums of products of atoms; floor_div, ceil_div, mod, min,
// max of other expressions are atoms), so that two equal expressions compare equal by pointer in all the
// cases that canonicalisation covers. A Dim is two words, immutable, and may be shared between threads.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace planish {

// Closed interval of the values a symbol may take, with the one to optimise for.
struct DimRange {
  int64_t min = 0;
  int64_t opt = 1;
  int64_t max = INT64_MAX / 4;
  friend bool operator==(const DimRange&, const DimRange&) = default;
};

inline constexpr DimRange kAnyExtent = {1, 1, INT32_MAX};  // of an axis that has no range yet

enum class SymbolKind : uint8_t {
  shape,  // bound when shapes are set
  step,   // bound by a step (the count of NonZero, a trip count); `range.max` is the upper bound
};

struct SymbolInfo {
  SymbolKind kind = SymbolKind::shape;
  DimRange range;
  friend bool operator==(const SymbolInfo&, const SymbolInfo&) = default;
};

using SymbolTable = std::map<std::string, SymbolInfo, std::less<>>;
using SymbolValues = std::map<std::string, int64_t, std::less<>>;

struct DimNode;  // dim.cpp

enum class DimOp : uint8_t { constant, symbol, add, mul, floor_div, ceil_div, mod, min, max };

class Dim {
 public:
  Dim() : Dim(int64_t{0}) {}
  Dim(int64_t value);  // NOLINT: implicit, so that shapes read {N, 3, 224, 224}
  Dim(int value) : Dim(static_cast<int64_t>(value)) {}

  // A name: letters, digits, '_' and '.', not starting with a digit.
  static Dim symbol(std::string_view name);

  bool is_constant() const;
  int64_t value() const;  // of a constant; Error(internal) otherwise

  DimOp op() const;
  std::string_view name() const;      // of a symbol
  std::vector<Dim> operands() const;  // of an operation: two or more for add, mul, min, max; else two

  // Value for given symbol values. Throws Error(invalid_argument) naming a symbol that is missing, or a
  // division by zero, or an overflow.
  int64_t evaluate(const SymbolValues& values) const;
  // Bounds from the symbols' ranges (a symbol not in the table has DimRange{}).
  int64_t lower_bound(const SymbolTable& symbols) const;
  int64_t upper_bound(const SymbolTable& symbols) const;
  void collect_symbols(std::vector<std::string>& names) const;  // appends, without repeats
  Dim substitute(const std::map<std::string, Dim, std::less<>>& replacements) const;

  std::string str() const;                  // "N", "64*H + 3", "floor_div(H + 1, 2)"
  static Dim parse(std::string_view text);  // inverse of str(); Error(invalid_argument) otherwise
  uint64_t hash() const;                    // depends on content, not on the address

  friend bool operator==(Dim a, Dim b) { return a.node_ == b.node_; }
  friend Dim operator+(Dim a, Dim b);
  friend Dim operator-(Dim a, Dim b);
  friend Dim operator*(Dim a, Dim b);
  friend Dim floor_div(Dim a, Dim b);  // rounds towards minus infinity; exact factors cancel: 6*N / 3 = 2*N
  friend Dim ceil_div(Dim a, Dim b);
  friend Dim mod(Dim a, Dim b);  // a - b*floor_div(a, b)
  friend Dim min(Dim a, Dim b);
  friend Dim max(Dim a, Dim b);

 private:
  explicit Dim(const DimNode* node) : node_(node) {}
  const DimNode* node_;
  friend struct DimNode;
};

Dim floor_div(Dim a, Dim b);
Dim ceil_div(Dim a, Dim b);
Dim mod(Dim a, Dim b);
Dim min(Dim a, Dim b);
Dim max(Dim a, Dim b);

// The value shows itself while a plan runs: a symbol of kind `step` takes part.
bool depends_on_data(Dim dim, const SymbolTable& symbols);

// Expressions that a network takes as equal though nothing says so ([N] + [M]): checked when shapes are set.
struct Guard {
  Dim left, right;
  std::string where;                         // "node 'add_1' (add)"
  std::string str() const;                   // "node 'add_1' (add) needs N equal to M"
  std::vector<std::string> symbols() const;  // of both sides, without repeats
  friend bool operator==(const Guard&, const Guard&) = default;
};

}  // namespace planish
