#pragma once
// PlanDraft: a plan while it is written. Buffers have no place yet; they live from the first step that touches them to
// the last.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"
#include "tactics/tactic.h"

namespace planish {

class PlanDraft {
 public:
  PlanDraft(const Graph& graph, Isa isa);
  PlanDraft(const PlanDraft&) = delete;

  // --- memory
  int32_t add_binding(const Value& value, bool is_input);  // its buffer
  ViewDesc constant(const Tensor& tensor);                 // equal content is stored once
  ViewDesc temporary(const TensorType& type, Layout layout);
  bool is_late(const ViewDesc& view) const;  // where it lies, or how far it reaches, shows itself while the plan runs

  // --- steps
  uint32_t add_step(Step step);  // gives it its id
  void add_copy(const ViewDesc& from, const ViewDesc& to, const std::string& name,
                const std::vector<std::string>& origins);
  // The view in a layout that the rule accepts; a conversion is made once and shared.
  ViewDesc convert(const ViewDesc& view, LayoutRule rule, bool strided, const std::string& name);
  // The steps that `emit` adds, apart from the others: the body of a control step.
  std::vector<Step> body(const std::function<void()>& emit);
  // The same for the body of a loop: what it reads from outside lives until the loop ends.
  std::vector<Step> repeated_body(const std::function<void()>& emit);
  bool in_body() const { return steps_ != &plan_.profiles[0].steps; }

  // Places the buffers; `keep_all`: none shares memory with another.
  Plan finish(bool keep_all);

 private:
  struct Buffer {
    BufferKind kind = BufferKind::arena;
    int32_t index = -1;
    Dim bytes;
    int first = INT32_MAX, last = -1;  // positions of the steps that touch it
  };

  int32_t add_buffer(BufferKind kind, size_t index, Dim bytes);
  void touch(const ViewDesc& view);

  Plan plan_;
  std::vector<Buffer> buffers_;
  std::map<Hash128, int32_t> constants_;
  std::map<std::string, ViewDesc> converted_;
  std::vector<Step>* steps_ = nullptr;
  int position_ = 0;
  uint32_t next_id_ = 0;
};

}  // namespace planish
