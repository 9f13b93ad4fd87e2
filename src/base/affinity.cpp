#include "base/affinity.h"

#include <sched.h>

#include <algorithm>

#include "base/error.h"

namespace planish {
namespace {

constexpr int kMostProcessors = 1 << 20;

}  // namespace

struct ProcessorSet {
  explicit ProcessorSet(int processors)
      : bytes(CPU_ALLOC_SIZE(static_cast<size_t>(processors))), bits(CPU_ALLOC(processors)) {
    if (bits == nullptr) fail(Code::out_of_memory, "no memory for a set of {} processors", processors);
    CPU_ZERO_S(bytes, bits);
  }
  ~ProcessorSet() { CPU_FREE(bits); }
  ProcessorSet(const ProcessorSet&) = delete;
  ProcessorSet& operator=(const ProcessorSet&) = delete;

  // Of the calling thread. The set grows until the system's own fits: a fixed one fails beyond 1024 processors.
  static std::unique_ptr<ProcessorSet> current() {
    for (int processors = 1024; processors <= kMostProcessors; processors *= 4) {
      auto set = std::make_unique<ProcessorSet>(processors);
      if (sched_getaffinity(0, set->bytes, set->bits) == 0) return set;
    }
    return nullptr;
  }

  size_t bytes;
  cpu_set_t* bits;
};

int usable_processors() {
  const auto set = ProcessorSet::current();
  return set == nullptr ? 1 : std::max(1, CPU_COUNT_S(set->bytes, set->bits));
}

Confined::Confined(std::span<const int> processors) {
  if (processors.empty()) return;
  const auto [least, most] = std::minmax_element(processors.begin(), processors.end());
  if (*least < 0 || *most >= kMostProcessors)
    fail(Code::invalid_argument, "processor {}: 0 to {} are accepted", *least < 0 ? *least : *most,
         kMostProcessors - 1);
  ProcessorSet wanted(*most + 1);
  for (int processor : processors) CPU_SET_S(static_cast<size_t>(processor), wanted.bytes, wanted.bits);
  before_ = ProcessorSet::current();
  // The system passes over those that are not there, as long as one is.
  const bool done = before_ != nullptr && sched_setaffinity(0, wanted.bytes, wanted.bits) == 0;
  const auto now = done ? ProcessorSet::current() : nullptr;
  for (int processor : processors) {
    if (now != nullptr && CPU_ISSET_S(static_cast<size_t>(processor), now->bytes, now->bits)) continue;
    if (done) sched_setaffinity(0, before_->bytes, before_->bits);
    before_ = nullptr;
    fail(Code::invalid_argument, "processor {}: this process may not run on it", processor);
  }
}

Confined::~Confined() {
  if (before_ != nullptr) sched_setaffinity(0, before_->bytes, before_->bits);
}

}  // namespace planish
