// Timing caches as rows.

#include "api/runtime/handles.h"
#include "compile/timing_cache.h"
#include "planish/planish_build.h"

using namespace planish;
using planish::api::guarded;
using planish::api::required;

struct planish_timings {
  TimingCache cache;
};

namespace {

bool is_row(std::string_view candidate) { return !candidate.starts_with(kWholePlan); }

}  // namespace

extern "C" {

planish_status planish_timings_read(const void* text, size_t size, planish_timings** timings) {
  return guarded([&] {
    required(timings, "the result");
    const auto* bytes = static_cast<const char*>(text);
    if (size > 0) required(bytes, "the text");
    const std::string_view given(bytes, size);
    *timings = new planish_timings{given.empty() ? TimingCache() : TimingCache::parse(given)};
  });
}

planish_status planish_timings_write(const planish_timings* timings, planish_write_fn write, void* user) {
  return guarded([&] {
    const TimingCache& cache = required(timings, "the timing cache").cache;
    if (write == nullptr) fail(Code::invalid_argument, "the function that writes is NULL");
    const std::string text = cache.machine().empty() ? "" : cache.str();
    if (!text.empty() && write(user, text.data(), text.size()) == 0)
      fail(Code::io, "the timing cache could not be written");
  });
}

planish_status planish_timings_list(const planish_timings* timings, planish_timing_fn row, void* user) {
  return guarded([&] {
    if (row == nullptr) fail(Code::invalid_argument, "the function that gets the rows is NULL");
    for (const auto& [key, candidates] : required(timings, "the timing cache").cache.rows())
      for (const auto& [name, known] : candidates) {
        if (!is_row(name)) continue;
        const planish_timing timing{sizeof timing, key.c_str(), name.c_str(), known.us, known.only ? 1 : 0};
        row(user, &timing);
      }
  });
}

planish_status planish_timings_merge(planish_timings* timings, const planish_timings* other, int32_t any_machine) {
  return guarded([&] {
    TimingCache& mine = required(timings, "the timing cache").cache;
    const TimingCache& theirs = required(other, "the other timing cache").cache;
    if (theirs.machine().empty()) return;
    if (mine.machine().empty()) mine = TimingCache(theirs.machine());
    if (mine.machine() != theirs.machine() && any_machine == 0)
      fail(Code::mismatch, "the other timing cache was made on another machine: {:.80}", theirs.machine());
    mine.add(theirs);
  });
}

planish_status planish_timings_choose(planish_timings* timings, const char* key, const char* candidate,
                                      double microseconds) {
  return guarded([&] {
    TimingCache& cache = required(timings, "the timing cache").cache;
    const char* name = &required(candidate, "the candidate");
    if (!is_row(name)) fail(Code::not_found, "'{:.80}' is no candidate of a node", name);
    cache.choose(&required(key, "the key"), name, microseconds);
  });
}

void planish_timings_destroy(planish_timings* timings) { delete timings; }

}  // extern "C"
