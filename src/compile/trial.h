#pragma once
// Trial: a plan that is run to see how long it takes, on random data in memory of its own, at the extents to tune for.

#include <memory>
#include <span>
#include <vector>

#include "device/device.h"
#include "plan/plan.h"
#include "runtime/engine.h"

namespace planish {

// Microseconds of the steps that compute: what copies cost depends on the neighbours, and is estimated with them.
double computing_us(std::span<const StepTiming> timings);

class Trial {
 public:
  Trial(const Plan& plan, Device& device);  // which outlives it

  double whole_us();      // of an execution, from call to result
  double computing_us();  // of an execution, its steps by themselves; from the first call on executions are profiled

 private:
  void bind(const Binding& binding, const std::vector<int64_t>& extents);

  std::shared_ptr<Engine> engine_;
  std::vector<std::shared_ptr<std::byte>> memory_;  // of the bindings
  std::unique_ptr<Context> context_;
  bool profiled_ = false;
};

}  // namespace planish
