// Timings: what builds measured, as rows that can be looked at, joined and edited.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "planish/error.hpp"
#include "planish/planish_build.h"

namespace planish {
inline namespace v0 {

struct TimingRow {
  std::string key, candidate;  // as in CandidateReport
  double microseconds = 0;
  bool chosen = false;  // it computes the nodes of this key, whatever the others cost
};

class Timings {
 public:
  // Of BuildOptions::timings. Error(mismatch): of another version. Error(invalid_argument): no timing cache, or
  // damaged.
  explicit Timings(std::string_view text = {}) {
    planish_timings* made = nullptr;
    detail::check(planish_timings_read(text.data(), text.size(), &made));
    handle_.reset(made);
  }

  std::string text() const {
    std::string all;
    const planish_write_fn append = [](void* user, const void* data, size_t size) {
      static_cast<std::string*>(user)->append(static_cast<const char*>(data), size);
      return int32_t{1};
    };
    detail::check(planish_timings_write(handle_.get(), append, &all));
    return all;
  }
  std::vector<TimingRow> rows() const {  // by key, then by candidate
    std::vector<TimingRow> rows;
    const planish_timing_fn append = [](void* user, const planish_timing* t) {
      static_cast<std::vector<TimingRow>*>(user)->push_back({t->key, t->candidate, t->microseconds, t->chosen != 0});
    };
    detail::check(planish_timings_list(handle_.get(), append, &rows));
    return rows;
  }
  // Adds what is missing, and what was measured more carefully. Error(mismatch): of another machine.
  void merge(const Timings& other, bool any_machine = false) {
    detail::check(planish_timings_merge(handle_.get(), other.handle_.get(), any_machine ? 1 : 0));
  }
  // Error(not_found): it was not measured for nodes of this key.
  void choose(const std::string& key, const std::string& candidate, double microseconds) {
    detail::check(planish_timings_choose(handle_.get(), key.c_str(), candidate.c_str(), microseconds));
  }

 private:
  struct End {
    void operator()(planish_timings* timings) const { planish_timings_destroy(timings); }
  };
  std::unique_ptr<planish_timings, End> handle_;
};

}  // namespace v0
}  // namespace planish
