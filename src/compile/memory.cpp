#include "compile/memory.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/checked.h"

namespace planish {
namespace {

bool overlap(const Interval& a, const Interval& b) { return a.first <= b.last && b.first <= a.last; }

int64_t live_peak(const std::vector<Interval>& intervals) {
  int last = 0;
  for (const Interval& i : intervals) last = std::max(last, i.last);
  std::vector<int64_t> change(static_cast<size_t>(last) + 2, 0);
  for (const Interval& i : intervals) {
    change[static_cast<size_t>(i.first)] += align_up(i.bytes, kAlignment);
    change[static_cast<size_t>(i.last) + 1] -= align_up(i.bytes, kAlignment);
  }
  int64_t peak = 0, live = 0;
  for (int64_t step : change) peak = std::max(peak, live += step);
  return peak;
}

// Places the intervals in this order, each into the smallest gap between those that live at the same time.
MemoryPlan place(const std::vector<Interval>& intervals, const std::vector<size_t>& order) {
  MemoryPlan plan;
  plan.offsets.assign(intervals.size(), 0);
  std::vector<size_t> placed;  // by offset
  for (size_t i : order) {
    const int64_t size = align_up(std::max<int64_t>(intervals[i].bytes, 1), kAlignment);
    int64_t end = 0, best = -1, best_gap = INT64_MAX;
    for (size_t other : placed) {
      if (!overlap(intervals[i], intervals[other])) continue;
      const int64_t gap = plan.offsets[other] - end;
      if (gap >= size && gap < best_gap) {
        best = end;
        best_gap = gap;
      }
      end = std::max(end, plan.offsets[other] + align_up(std::max<int64_t>(intervals[other].bytes, 1), kAlignment));
    }
    plan.offsets[i] = best >= 0 ? best : end;
    plan.arena_bytes = std::max(plan.arena_bytes, plan.offsets[i] + size);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), i, [&](size_t a, size_t b) { return plan.offsets[a] < plan.offsets[b]; }), i);
  }
  return plan;
}

}  // namespace

MemoryPlan plan_memory(const std::vector<Interval>& intervals) {
  std::vector<size_t> order(intervals.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto life = [&](size_t i) { return intervals[i].last - intervals[i].first + 1; };
  const std::function<bool(size_t, size_t)> orders[] = {
      [&](size_t a, size_t b) { return intervals[a].bytes > intervals[b].bytes; },
      [&](size_t a, size_t b) { return intervals[a].bytes * life(a) > intervals[b].bytes * life(b); },
      [&](size_t a, size_t b) { return intervals[a].first < intervals[b].first; },
      [&](size_t a, size_t b) { return intervals[a].last > intervals[b].last; },
  };
  MemoryPlan best;
  best.arena_bytes = INT64_MAX;
  for (const auto& before : orders) {
    std::vector<size_t> sorted = order;
    std::stable_sort(sorted.begin(), sorted.end(), before);
    MemoryPlan plan = place(intervals, sorted);
    if (plan.arena_bytes < best.arena_bytes) best = std::move(plan);
  }
  best.live_peak_bytes = live_peak(intervals);
  return best;
}

}  // namespace planish
