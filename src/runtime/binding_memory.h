#pragma once
// The memory of a context's bindings: what the caller has bound, how much is needed, and what the context adds to it.
//
// On a GPU a binding is used in place where the caller's memory lies there and a buffer of the plan can be it
// (binding_use.h); it is staged where steps of the host read or write memory that the host does not reach: they get
// memory of their own, copied before and after.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "device/accelerator.h"
#include "runtime/binding_use.h"
#include "runtime/engine.h"
#include "runtime/storage.h"

namespace planish {

class BindingMemory {
 public:
  // All outlive it.
  BindingMemory(const Engine& engine, const Profile& profile, StorageSource& source);

  // --- the caller's
  void bind(size_t binding, void* data, size_t bytes);
  const void* output(size_t binding) const;  // where its result lies: in the caller's memory, or the context's own
  // Code::invalid_state: one is not bound; Code::invalid_argument: one has too few bytes. Those whose extents depend on
  // data are looked at when they are written.
  Status check() const;

  // --- at the current shapes
  void measure(const SymbolValues& symbols);
  bool is_data_dependent(size_t binding) const { return data_dependent_[binding]; }
  int64_t needed(size_t binding) const { return needed_[binding]; }  // bytes; data-dependent: at the last execution
  const std::vector<int64_t>& extents(size_t binding) const { return extents_[binding]; }  // data-dependent: empty

  // --- what steps use
  // Decides what is used in place, and gives what is staged its memory.
  void place();
  // Appends what addresses of views follow from: kPlaces values for each binding, those of one kind behind each other.
  void list_places(std::vector<const void*>& places) const;
  // Whether two such lists differ in the values of one binding.
  static bool has_moved(const std::vector<const void*>& before, const std::vector<const void*>& now, size_t binding);
  int32_t binding_of(int32_t buffer) const { return binding_of_[static_cast<size_t>(buffer)]; }  // of the GPU; -1: none
  std::byte* in_place(int32_t buffer) const;  // memory of the binding that the buffer is; null: it is not one
  const std::vector<std::byte*>& all_in_place() const { return in_place_; }  // by binding; null: copied
  // The memory that steps of the host use (`by_host`), or a transfer: it takes an input where the caller has it, and
  // puts an output where steps of the host put theirs. Null: there is none.
  std::byte* base(size_t binding, bool by_host) const;
  int64_t provided(size_t binding) const;  // bytes that there are; of fixed ones they are looked at by check()

  // A data-dependent output is about to be written; its symbols have values. True: its memory is another.
  // Error(invalid_argument): the caller's is too small.
  bool provide(size_t binding, const SymbolValues& symbols);

  // --- copies of what is staged
  void fetch(Stream& stream) const;    // inputs that steps of the host read
  void deliver(Stream& stream) const;  // outputs that they write

 private:
  static constexpr size_t kPlaces = 3;

  size_t count() const { return addresses_.size(); }
  bool is_staged(size_t binding) const { return owners_[binding] != MemoryOwner::host && uses_[binding].on_host; }
  bool overlaps_another(size_t binding) const;
  int64_t bytes_of(size_t binding, const std::vector<int64_t>& extents) const;
  std::byte* staged(size_t binding) const;

  const std::vector<Binding>& bindings_;
  Accelerator* const accelerator_;
  StorageSource& source_;
  std::vector<bool> data_dependent_;  // this and all below: by binding
  std::vector<void*> addresses_;
  std::vector<size_t> sizes_;
  std::vector<MemoryOwner> owners_;  // of the addresses
  std::vector<BindingUse> uses_;
  std::vector<std::vector<int64_t>> extents_;
  std::vector<int64_t> needed_;
  std::vector<std::byte*> in_place_;
  std::vector<Storage> staging_;
  std::vector<Storage> outputs_;  // data-dependent ones that the caller gave no memory, or none that the host reaches
  std::vector<int32_t> binding_of_;  // by buffer: the binding whose whole it holds
};

}  // namespace planish
