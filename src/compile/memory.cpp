#include "compile/memory.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>

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

constexpr double kGoodEnough = 1.005;       // of the lower bound: no further search
constexpr int64_t kSearchWork = 300000000;  // pairs of intervals that the search may look at
constexpr int64_t kMostTrials = 20000;

int64_t aligned_bytes(const Interval& interval) { return align_up(std::max<int64_t>(interval.bytes, 1), kAlignment); }

enum class Gap { smallest, lowest };

// Places the intervals in this order, each into a gap between those that live at the same time.
MemoryPlan place(const std::vector<Interval>& intervals, const std::vector<size_t>& order, Gap rule) {
  MemoryPlan plan;
  plan.offsets.assign(intervals.size(), 0);
  std::vector<size_t> placed;  // by offset
  for (size_t i : order) {
    const int64_t size = aligned_bytes(intervals[i]);
    int64_t end = 0, best = -1, best_gap = INT64_MAX;
    for (size_t other : placed) {
      if (!overlap(intervals[i], intervals[other])) continue;
      const int64_t gap = plan.offsets[other] - end;
      if (gap >= size && gap < best_gap) {
        best = end;
        best_gap = rule == Gap::lowest ? 0 : gap;
      }
      end = std::max(end, plan.offsets[other] + aligned_bytes(intervals[other]));
    }
    plan.offsets[i] = best >= 0 ? best : end;
    plan.arena_bytes = std::max(plan.arena_bytes, plan.offsets[i] + size);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), i,
                                   [&](size_t a, size_t b) { return plan.offsets[a] < plan.offsets[b]; }),
                  i);
  }
  return plan;
}

struct Arrangement {
  std::vector<size_t> order;
  Gap rule = Gap::smallest;
  MemoryPlan plan;
};

Arrangement best_of_orders(const std::vector<Interval>& intervals) {
  std::vector<size_t> order(intervals.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto life = [&](size_t i) { return intervals[i].last - intervals[i].first + 1; };
  const std::function<bool(size_t, size_t)> orders[] = {
      [&](size_t a, size_t b) { return intervals[a].bytes > intervals[b].bytes; },
      [&](size_t a, size_t b) { return intervals[a].bytes * life(a) > intervals[b].bytes * life(b); },
      [&](size_t a, size_t b) { return intervals[a].first < intervals[b].first; },
      [&](size_t a, size_t b) { return intervals[a].last > intervals[b].last; },
  };
  Arrangement best;
  best.plan.arena_bytes = INT64_MAX;
  for (const auto& before : orders) {
    std::vector<size_t> sorted = order;
    std::stable_sort(sorted.begin(), sorted.end(), before);
    for (Gap rule : {Gap::smallest, Gap::lowest}) {
      MemoryPlan plan = place(intervals, sorted, rule);
      if (plan.arena_bytes < best.plan.arena_bytes) best = {sorted, rule, std::move(plan)};
    }
  }
  return best;
}

// Another order: an interval at the top of the arena comes earlier, or one anywhere takes another turn.
std::vector<size_t> neighbour(const Arrangement& from, const std::vector<Interval>& intervals, std::mt19937& bits) {
  std::vector<size_t> order = from.order;
  const auto is_top = [&](size_t i) {
    return from.plan.offsets[i] + aligned_bytes(intervals[i]) == from.plan.arena_bytes;
  };
  size_t taken = bits() % order.size();
  if (bits() % 2 == 0) taken = static_cast<size_t>(std::find_if(order.begin(), order.end(), is_top) - order.begin());
  const size_t target = bits() % order.size();
  const size_t moved = order[taken];
  order.erase(order.begin() + static_cast<std::ptrdiff_t>(taken));
  order.insert(order.begin() + static_cast<std::ptrdiff_t>(target), moved);
  return order;
}

// Arrangements that are as good are taken as well: that is how plateaus are crossed. The same on every machine.
void improve(Arrangement& best, const std::vector<Interval>& intervals, int64_t lower_bound) {
  std::mt19937 bits(1);
  const auto count = static_cast<int64_t>(intervals.size());
  const int64_t trials = std::min(kMostTrials, kSearchWork / std::max<int64_t>(count * count, 1));
  const auto good_enough = static_cast<int64_t>(static_cast<double>(lower_bound) * kGoodEnough);
  for (int64_t trial = 0; trial < trials && best.plan.arena_bytes > good_enough; ++trial) {
    std::vector<size_t> order = neighbour(best, intervals, bits);
    MemoryPlan plan = place(intervals, order, best.rule);
    if (plan.arena_bytes <= best.plan.arena_bytes) best = {std::move(order), best.rule, std::move(plan)};
  }
}

}  // namespace

MemoryPlan plan_memory(const std::vector<Interval>& intervals) {
  Arrangement best = best_of_orders(intervals);
  const int64_t lower_bound = live_peak(intervals);
  improve(best, intervals, lower_bound);
  best.plan.live_peak_bytes = lower_bound;
  return std::move(best.plan);
}

}  // namespace planish
