#pragma once
// A sample at one level of instructions: every candidate of every step, against the reference kernels.

#include <set>
#include <string>

#include "base/cpu_features.h"
#include "sweep/sketch.h"

namespace planish::testing {

struct Verdict {
  int plans = 0;                  // compared
  std::set<std::string> kernels;  // of their steps: "igemm", "reference:tile"
  std::string failure;            // of the first plan that is wrong: its candidate and the difference; empty: none is
};

class Judge {
 public:
  explicit Judge(const Sample& sample, uint32_t seed);

  // `candidate`: it alone, or "chosen", what estimates choose; empty: all. Each plan runs on one thread and, from
  // buffers that begin elsewhere, on several: the results are equal bit for bit.
  Verdict at(Isa isa, const std::string& candidate);

 private:
  std::string compared(const Plan& plan, const std::string& candidate);

  const Sample& sample_;
  uint32_t seed_;
  std::map<std::string, Tensor> expected_;
  double largest_ = 1;  // of all values of the reference run: what lies behind may be smaller than what was rounded
  std::map<std::string, std::pair<std::string, Tensor>> integers_;  // of integer kernels with scales of any value
};

std::string bounds_in_words();

}  // namespace planish::testing
