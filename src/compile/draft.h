#pragma once
// PlanDraft: a plan while it is written. Buffers have no place yet; they live from the first step that touches them to
// the last.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"
#include "tactics/target.h"

namespace planish {

// Adds the symbols that nodes of the graph and of its regions bind.
void collect_bound(const Graph& graph, std::set<std::string>& symbols);

class PlanDraft {
 public:
  PlanDraft(const Graph& graph, const Target& target);
  PlanDraft(const PlanDraft&) = delete;

  // --- memory
  int32_t add_binding(const Value& value, bool is_input);  // its buffer
  // Equal content is stored once, and once more on the device.
  ViewDesc constant(const Tensor& tensor, MemorySpace space = MemorySpace::host);
  ViewDesc temporary(const TensorType& type, Layout layout, MemorySpace space = MemorySpace::host);
  MemorySpace space_of(const ViewDesc& view) const;
  bool is_late(const ViewDesc& view) const;  // where it lies, or how far it reaches, shows itself while the plan runs

  // --- steps
  uint32_t add_step(Step step);  // gives it its id
  // Checked by the step that binds the last of its symbols.
  void add_guard(const Guard& guard);
  // A step binds it, or shapes do: what only nodes that are gone needed has no value.
  bool is_bound(const std::string& symbol) const;
  void add_copy(const ViewDesc& from, const ViewDesc& to, const std::string& name,
                const std::vector<std::string>& origins);  // and a cast where the types differ
  // The view in a layout that the rule accepts and as this type; a conversion is made once and shared.
  ViewDesc convert(const ViewDesc& view, LayoutRule rule, bool strided, const std::string& name, MemorySpace space,
                   DataType type);
  // f32 that lies as bf16, in f32.
  ViewDesc widened(const ViewDesc& view, DataType stated, const std::string& name) {
    return convert(view, LayoutRule::any, true, name, space_of(view), stated);
  }
  // The view in a memory space, in the order in which it lies; copied once and shared.
  ViewDesc placed(const ViewDesc& view, MemorySpace space, const std::string& name);
  // The steps that `emit` adds, apart from the others: the body of a control step.
  std::vector<Step> body(const std::function<void()>& emit);
  // The same for the `parts` of a loop's iteration: what they read from outside lives until the loop ends.
  std::vector<std::vector<Step>> repeated_bodies(const std::function<void(size_t part)>& emit, size_t parts);
  bool in_body() const { return steps_ != &plan_.profiles[0].steps; }

  // Places the buffers; `keep_all`: none shares memory with another.
  Plan finish(bool keep_all);

 private:
  struct Buffer {
    BufferKind kind = BufferKind::arena;
    MemorySpace space = MemorySpace::host;
    int32_t index = -1;
    Dim bytes;
    int first = INT32_MAX, last = -1;  // positions of the steps that touch it
  };

  int32_t add_buffer(BufferKind kind, size_t index, Dim bytes, MemorySpace space = MemorySpace::host);
  void add_transfer(const ViewDesc& from, const ViewDesc& to, const std::string& name,
                    const std::vector<std::string>& origins);
  // The step, which states what it does, from one view to the other.
  void add_step_between(Step step, const ViewDesc& from, const ViewDesc& to, const std::string& name,
                        const std::vector<std::string>& origins);
  Step cast_step(DataType to) const;
  Step copy_step() const;
  ViewDesc placed_input(int32_t buffer, MemorySpace space, const std::string& name);
  int64_t place(MemorySpace space, bool keep_all);
  void touch(const ViewDesc& view);

  Plan plan_;
  std::vector<Buffer> buffers_;
  const Target target_;
  std::map<Hash128, int32_t> constant_index_;                     // into Plan::constants
  std::map<std::pair<Hash128, MemorySpace>, int32_t> constants_;  // buffers
  std::map<std::string, ViewDesc> converted_;
  std::set<std::string> bound_;  // symbols that nodes of the graph bind
  std::vector<Step>* steps_ = nullptr;
  int position_ = 0;
  uint32_t next_id_ = 0;
};

}  // namespace planish
