#pragma once
// Frame: what the steps of one context are made from. Symbols, memory, plugins; prepare.cpp makes the steps, and
// prepare_late.cpp those that have to wait for what other steps find.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/arena.h"
#include "runtime/binding_memory.h"
#include "runtime/engine.h"
#include "runtime/prepared.h"
#include "runtime/storage.h"

namespace planish {

class Frame : public LateSteps {
 public:
  Frame(std::shared_ptr<const Engine> engine, const ContextOptions& options);

  const Engine& engine() const { return *engine_; }
  const Profile& profile() const { return profile_; }
  const std::vector<Binding>& bindings() const { return engine_->plan().bindings; }
  BindingMemory& memory() { return memory_; }
  const BindingMemory& memory() const { return memory_; }
  StorageSource& storage_source() { return source_; }

  // --- symbols
  SymbolValues& symbols() { return symbols_; }
  SymbolValues shape_symbols() const;   // but for those that steps bind
  bool is_bound(size_t binding) const;  // its extents are known
  std::vector<int64_t> extents_of(size_t binding) const;

  // --- steps
  std::vector<PreparedStep> prepare() const;  // the profile's steps for the current shapes, without addresses
  void patch(PreparedStep& prepared) const;   // gives it the addresses
  // Whether the step uses memory of a binding for which `moved` holds; one with bodies may.
  bool reaches(const Step& step, const std::function<bool(size_t binding)>& moved) const;

  // --- what changes
  void begin_run();     // forgets what the last run bound
  void begin_shapes();  // symbols of shapes have values: everything is made from them anew, and bindings are measured
  void bind_memory(size_t binding, void* data, size_t bytes);

  void make_ready(PreparedStep& prepared) override;
  void bind(const Step& step, std::span<const int64_t> values) override;
  void forget(const Step& loop, const std::vector<Step>& body) override;

 private:
  const BufferDesc& buffer_of(const ViewDesc& view) const { return profile_.buffers[static_cast<size_t>(view.buffer)]; }
  bool is_data_dependent(Dim dim) const { return depends_on_data(dim, profile_.symbols); }
  std::byte* base_of(const ViewDesc& view, bool by_host) const;
  Place place_of(const ViewDesc& view) const;
  TensorView resolve(const ViewDesc& desc) const;
  Attrs evaluated(const Attrs& params) const;
  PreparedStep prepare(const Step& step) const;
  PreparedStep resolve(const Step& step) const;
  void prepare_bodies(PreparedStep& prepared) const;
  int64_t workspace_bytes(const Step& step) const;
  int64_t asked_workspace(const PreparedStep& prepared) const;
  void check_contract(const PreparedStep& prepared) const;
  int64_t bytes_of(const BufferDesc& buffer, int32_t index) const;
  void patch_views(PreparedStep& prepared) const;
  void make_plugins(const std::vector<Step>& list);

  void find_late_steps(const std::vector<Step>& list);
  bool is_late(const Step& step) const;
  bool is_late(const ViewDesc& view) const;
  void provide(const ViewDesc& view);
  void check_guards(const std::string& bound) const;

  const std::shared_ptr<const Engine> engine_;
  const Profile& profile_;
  const Isa isa_;
  const Arenas arenas_;
  StorageSource source_;
  BindingMemory memory_;
  std::map<uint32_t, std::unique_ptr<Plugin>> plugins_;  // by step id
  SymbolValues symbols_;

  std::set<uint32_t> late_;                 // steps whose views are known only while the plan runs
  SymbolValues last_;                       // of symbols that steps bind: the values they had before
  uint64_t generation_ = 1;                 // raised when such a value, or the memory of a buffer, changes
  std::vector<Storage> dynamic_;            // by buffer
  std::map<uint32_t, Storage> workspaces_;  // of late steps, by step id
};

}  // namespace planish
