#pragma once
// Frame: what the steps of one context are made from. Shapes, memory, plugins; prepare.cpp makes the steps, and
// prepare_late.cpp those that have to wait for what other steps find.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "device/accelerator.h"
#include "runtime/engine.h"
#include "runtime/prepared.h"

namespace planish {

// Memory that grows and keeps what is in it.
struct Storage {
  std::shared_ptr<std::byte> data;
  int64_t bytes = 0;
};

// How a profile's steps reach a binding. On a GPU, what lies in the caller's memory there is used in place where one
// copy step is all that stands between it and a buffer of the GPU.
struct BindingUse {
  bool on_host = false;            // a step of the host reads or writes it
  int32_t buffer = -1;             // of the GPU: holds all of the binding and nothing else; -1: none
  const Step* transfer = nullptr;  // the copy between the two
};

struct Frame : LateSteps {
  std::shared_ptr<const Engine> engine;
  const Profile* profile = nullptr;
  Isa isa = Isa::scalar;
  std::shared_ptr<std::byte> arena, device_arena;
  std::map<uint32_t, std::unique_ptr<Plugin>> plugins;  // by step id
  SymbolValues symbols;
  std::vector<void*> addresses;  // by binding
  std::vector<size_t> sizes;
  std::vector<std::vector<int64_t>> fixed_extents;  // of bindings, at the current shapes; data-dependent ones: empty
  std::vector<int64_t> needed;                      // bytes of each binding at the current shapes
  std::vector<BindingUse> uses;                     // by binding
  std::vector<MemoryOwner> owners;                  // of the addresses
  std::vector<std::byte*> in_place;                 // by binding: its memory is the buffer; null: it is copied
  const Step* host_step = nullptr;                  // on an accelerator: the first step that the host does
  std::vector<Storage> staging;                     // by binding: of the host, for memory that the host does not reach
  std::vector<std::shared_ptr<std::byte>> retired;  // of the host: replaced, and maybe still copied from or to
  std::set<uint32_t> late;                          // steps whose views are known only while the plan runs

  const std::vector<Binding>& bindings() const { return engine->plan().bindings; }
  std::vector<int64_t> extents_of(size_t binding) const { return bindings()[binding].type.shape.evaluate(symbols); }
  bool is_data_dependent(size_t binding) const;
  bool is_bound(size_t binding) const;  // its extents are known
  bool is_data_dependent(Dim dim) const { return depends_on_data(dim, profile->symbols); }
  const void* output(size_t binding) const;  // its memory: the caller's, or the frame's own

  void find_uses();  // of bindings, once the profile is known
  void make_plugins(const std::vector<Step>& list);
  void find_late_steps(const std::vector<Step>& list);
  void measure_bindings();                    // fills `needed`
  std::vector<PreparedStep> prepare() const;  // the profile's steps for the current shapes, without addresses
  void patch(PreparedStep& prepared) const;   // gives it the addresses
  // Whether the step uses memory of a binding for which `moved` holds; one with bodies may.
  bool reaches(const Step& step, const std::function<bool(size_t binding)>& moved) const;
  void begin_run();                   // forgets what the last run bound
  void begin_shapes();                // the shapes are other ones: so is everything made from them
  void move_binding(size_t binding);  // its address has changed
  // Decides what is used in place and what the host needs a copy of.
  void place_bindings();
  void fetch_staged(Stream& stream) const;    // inputs that steps of the host read
  void deliver_staged(Stream& stream) const;  // outputs that they write

  void make_ready(PreparedStep& prepared) override;
  void bind(const Step& step, std::span<const int64_t> values) override;
  void forget(const Step& loop, const std::vector<Step>& body) override;

 private:
  const BufferDesc& buffer_of(const ViewDesc& view) const { return profile->buffers[static_cast<size_t>(view.buffer)]; }
  std::byte* base_of(const ViewDesc& view, bool on_host) const;
  bool is_staged(size_t binding) const;
  bool overlaps_another(size_t binding) const;
  Place place_of(const ViewDesc& view) const;
  TensorView resolve(const ViewDesc& desc) const;
  Attrs evaluated(const Attrs& params) const;
  PreparedStep prepare(const Step& step) const;
  PreparedStep resolve(const Step& step) const;
  void prepare_bodies(PreparedStep& prepared) const;
  bool is_on_device(const Step& step) const;
  int64_t workspace_bytes(const Step& step) const;
  int64_t asked_workspace(const PreparedStep& prepared) const;
  void check_contract(const PreparedStep& prepared) const;
  int64_t bytes_of(size_t binding) const;
  int64_t bytes_of(const BufferDesc& buffer, int32_t index) const;
  int64_t provided(size_t binding) const;
  void patch_views(PreparedStep& prepared) const;

  bool is_late(const Step& step) const;
  bool is_late(const ViewDesc& view) const;
  void provide(const ViewDesc& view);
  void provide_binding(size_t binding);
  bool grow(Storage& storage, int64_t bytes);
  void replace(Storage& storage, std::shared_ptr<std::byte> data, int64_t bytes);
  void check_guards(const std::string& bound) const;

  SymbolValues last_;                       // of symbols that steps bind: the values they had before
  uint64_t generation_ = 1;                 // raised when such a value, or the memory of a buffer, changes
  std::vector<int32_t> binding_of_;         // by buffer of the GPU: the binding whose whole it holds; -1: none
  std::vector<Storage> dynamic_;            // by buffer
  std::vector<Storage> outputs_;            // by binding: of outputs that the caller gave no memory
  std::map<uint32_t, Storage> workspaces_;  // of late steps, by step id
};

}  // namespace planish
