#pragma once
// A step made ready for the current shapes: views with addresses, decoded parameters. What executors run.

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "device/device.h"
#include "kernels/kernel.h"
#include "plan/plan.h"
#include "plugin/plugin.h"
#include "runtime/launch.h"

namespace planish {

struct PreparedStep {
  const Step* step = nullptr;
  uint64_t generation = 0;             // late steps: of what it was made from
  bool late = false;                   // LateSteps::make_ready comes first
  const Kernel* kernel = nullptr;      // cpu and reference steps
  std::shared_ptr<const void> params;  // what the kernel's decode made
  Plugin* plugin = nullptr;            // plugin steps; the context owns it
  std::shared_ptr<PreparedLaunch> launch;
  bool transfer = false;              // a copy from or to memory of an accelerator
  bool on_device = false;             // of a plugin: it puts its work on the accelerator's stream
  std::shared_ptr<Event> begin, end;  // around what an accelerator does, where it is timed
  std::vector<TensorView> inputs, outputs;
  std::byte* workspace = nullptr;
  std::vector<std::vector<PreparedStep>> bodies;
  std::vector<std::string> refusals;  // by branch: why it cannot run for these shapes; empty: it can
  std::vector<int64_t> bound;         // values of Step::binds
  int64_t flops = 0, bytes = 0;
  double milliseconds = 0;
};

// Where a view's buffer lies at the current shapes: `bytes` from `begin` of one piece of memory, and the view's
// offset in it.
struct Place {
  int32_t memory = 0;
  int64_t begin = 0, bytes = 0, offset = 0;
  bool writable = false;
};
using PlaceOf = std::function<Place(const ViewDesc&)>;

// Whatever the kernel: views lie inside their buffers, aligned; results and workspace where results may be written
// and apart from everything else that the step uses. Error(invalid_plan) names operand or result.
void check_views(const PreparedStep& step, const TensorView& workspace, const PlaceOf& place_of);

void check_control(const PreparedStep& step);  // its operands are what an if or a loop reads

// The instance of a plugin step.
std::unique_ptr<Plugin> make_plugin(const Step& step);
// What the plan says of the step must be what the plugin says for these extents: the plugin trusts it.
// Error(mismatch) otherwise.
void check_plugin(const PreparedStep& step, ThreadPool& pool, int64_t workspace_bytes);

// Steps whose extents, offsets or memory other steps decide while the plan runs.
class LateSteps {
 public:
  virtual void make_ready(PreparedStep& step) = 0;                           // makes it ready, unless it is
  virtual void bind(const Step& step, std::span<const int64_t> values) = 0;  // the first of Step::binds
  // What these steps of a loop's body found out has no value any more; what the loop hands on keeps its own.
  virtual void forget(const Step& loop, const std::vector<Step>& body) = 0;

 protected:
  ~LateSteps() = default;
};

struct Execution {
  ThreadPool& pool;
  LateSteps& late;
  Device& device;
  Stream* stream = nullptr;  // of an accelerator
  bool* queued = nullptr;    // something is on the stream that was not waited for
  bool profile = false;
  const std::function<void(const Step&, std::span<const TensorView>)>* observer = nullptr;
};

// Each throws what its kernel throws; the context turns it into a Status that names the step.
void execute(std::span<PreparedStep> steps, const Execution& execution);
void execute_kernel(PreparedStep& step, const Execution& execution);  // cpu, reference
void execute_copy(PreparedStep& step, const Execution& execution);
void execute_control(PreparedStep& step, const Execution& execution);
void execute_plugin(PreparedStep& step, const Execution& execution);
void execute_launch(PreparedStep& step, const Execution& execution);
void execute_transfer(PreparedStep& step, const Execution& execution);

// Its work is on an accelerator's stream when the call returns, and not waited for.
inline bool is_queued(const PreparedStep& step) { return step.launch != nullptr || step.transfer || step.on_device; }
// A transfer between a binding and the buffer that it is.
inline bool is_in_place(const PreparedStep& step) {
  return step.transfer && step.inputs[0].data == step.outputs[0].data;
}
// Both views lie dense in the same order. Error(invalid_plan) otherwise.
void check_transfer(const PreparedStep& step);

}  // namespace planish
