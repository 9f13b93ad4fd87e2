#pragma once
// The extents of a context's inputs: what the caller has given, and the values of symbols that follow.
//
// Inputs that share a symbol change one after the other. How they fit together is therefore looked at when every
// dynamic input was given extents since the last time (a round).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "plan/plan.h"

namespace planish {

class InputExtents {
 public:
  // Both outlive it. Those of inputs without symbols are given.
  InputExtents(const std::vector<Binding>& bindings, const Profile& profile);

  // What one input alone tells: rank, fixed extents, the ranges of plain symbols. Where that does not fit, the input
  // has none until it is given others: Code::invalid_argument.
  Status give(size_t binding, std::span<const int64_t> extents);
  bool has(size_t binding, std::span<const int64_t> extents) const;  // it was given these
  bool all_given() const;
  Status check_given() const;  // Code::invalid_state names an input without

  void begin_round() { pending_ = dynamic_; }
  bool is_round_complete() const;  // and all are given

  // Gives the symbols of shapes their values. Code::invalid_argument: inputs that share a symbol differ, another
  // expression has another value, or a guard of the profile does not hold.
  Status bind(SymbolValues& symbols) const;

 private:
  Status check(const Binding& info, std::span<const int64_t> extents) const;
  Status bind_symbols(size_t binding, SymbolValues& symbols) const;
  Status check_guards(const SymbolValues& symbols) const;

  const std::vector<Binding>& bindings_;
  const Profile& profile_;
  std::vector<bool> dynamic_;                // inputs whose extents the caller sets
  std::vector<bool> known_;                  // bindings whose extents were given, or follow
  std::vector<bool> pending_;                // dynamic inputs that this round waits for
  std::vector<std::vector<int64_t>> given_;  // by binding
};

}  // namespace planish
