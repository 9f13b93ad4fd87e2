#include "runtime/binding_memory.h"

#include <algorithm>

#include "base/checked.h"

namespace planish {
namespace {

constexpr uintptr_t kInPlaceAlignment = 64;  // of every buffer in the arena: kernels rely on it

bool waits_for_data(const Binding& binding, const SymbolTable& symbols) {
  const Shape& shape = binding.type.shape;
  return std::any_of(shape.begin(), shape.end(), [&](Dim dim) { return depends_on_data(dim, symbols); });
}

}  // namespace

BindingMemory::BindingMemory(const Engine& engine, const Profile& profile, StorageSource& source)
    : bindings_(engine.plan().bindings), accelerator_(engine.device().accelerator()), source_(source) {
  const size_t count = bindings_.size();
  for (const Binding& binding : bindings_) data_dependent_.push_back(waits_for_data(binding, profile.symbols));
  addresses_.resize(count);
  sizes_.resize(count);
  owners_.assign(count, MemoryOwner::host);
  uses_.resize(count);
  extents_.resize(count);
  needed_.resize(count);
  in_place_.resize(count);
  staging_.resize(count);
  outputs_.resize(count);
  binding_of_.assign(profile.buffers.size(), -1);
  if (accelerator_ == nullptr) return;
  uses_ = uses_of(bindings_, profile);
  for (size_t i = 0; i < count; ++i)
    if (uses_[i].buffer >= 0) binding_of_[static_cast<size_t>(uses_[i].buffer)] = static_cast<int32_t>(i);
}

// --- the caller's

void BindingMemory::bind(size_t binding, void* data, size_t bytes) {
  addresses_[binding] = data;
  sizes_[binding] = bytes;
  if (accelerator_ != nullptr) owners_[binding] = data == nullptr ? MemoryOwner::host : accelerator_->owner_of(data);
}

const void* BindingMemory::output(size_t binding) const {
  return addresses_[binding] != nullptr ? addresses_[binding] : outputs_[binding].data.get();
}

Status BindingMemory::check() const {
  for (size_t i = 0; i < count(); ++i) {
    if (is_data_dependent(i)) continue;
    if (addresses_[i] == nullptr && needed_[i] > 0)
      return {Code::invalid_state, fmt::format("'{}' is not bound; it takes {} bytes", bindings_[i].name, needed_[i])};
    if (sizes_[i] < static_cast<size_t>(needed_[i]))
      return {Code::invalid_argument,
              fmt::format("'{}' is bound to {} bytes, {} are needed", bindings_[i].name, sizes_[i], needed_[i])};
  }
  return {};
}

// --- at the current shapes

int64_t BindingMemory::bytes_of(size_t binding, const std::vector<int64_t>& extents) const {
  const Binding& info = bindings_[binding];
  return with_context([&] { return fmt::format("binding '{}'", info.name); },
                      [&] { return checked_mul(checked_product(extents), element_bytes(info.type.dtype)); });
}

void BindingMemory::measure(const SymbolValues& symbols) {
  for (size_t i = 0; i < count(); ++i) {
    needed_[i] = 0;
    extents_[i].clear();
    if (is_data_dependent(i)) continue;
    extents_[i] = bindings_[i].type.shape.evaluate(symbols);
    needed_[i] = bytes_of(i, extents_[i]);
  }
}

// --- what steps use

// Whether an output lies in memory that another binding has too: it is written before that one is done with.
bool BindingMemory::overlaps_another(size_t binding) const {
  const auto begin = reinterpret_cast<uintptr_t>(addresses_[binding]);
  const uintptr_t end = begin + static_cast<uintptr_t>(needed_[binding]);
  for (size_t i = 0; i < count(); ++i) {
    const auto other = reinterpret_cast<uintptr_t>(addresses_[i]);
    if (i != binding && begin < other + static_cast<uintptr_t>(needed_[i]) && other < end) return true;
  }
  return false;
}

void BindingMemory::place() {
  if (accelerator_ == nullptr) return;
  for (size_t i = 0; i < count(); ++i) {
    const auto address = reinterpret_cast<uintptr_t>(addresses_[i]);
    const bool fits = uses_[i].buffer >= 0 && owners_[i] == MemoryOwner::own && address % kInPlaceAlignment == 0 &&
                      needed_[i] > 0 && (bindings_[i].is_input || !overlaps_another(i));
    in_place_[i] = fits ? static_cast<std::byte*>(addresses_[i]) : nullptr;
    if (is_staged(i) && !is_data_dependent(i) && staging_[i].bytes < needed_[i])
      source_.replace(staging_[i], needed_[i]);
  }
}

void BindingMemory::list_places(std::vector<const void*>& places) const {
  places.insert(places.end(), addresses_.begin(), addresses_.end());
  places.insert(places.end(), in_place_.begin(), in_place_.end());
  for (const Storage& storage : staging_) places.push_back(storage.data.get());
}

bool BindingMemory::has_moved(const std::vector<const void*>& before, const std::vector<const void*>& now,
                              size_t binding) {
  for (size_t at = binding; at < now.size(); at += now.size() / kPlaces)
    if (now[at] != before[at]) return true;
  return false;
}

std::byte* BindingMemory::in_place(int32_t buffer) const {
  const int32_t binding = binding_of(buffer);
  return binding < 0 ? nullptr : in_place_[static_cast<size_t>(binding)];
}

std::byte* BindingMemory::staged(size_t binding) const {
  return is_data_dependent(binding) ? outputs_[binding].data.get() : staging_[binding].data.get();
}

std::byte* BindingMemory::base(size_t binding, bool by_host) const {
  if (is_staged(binding) && (by_host || !bindings_[binding].is_input)) return staged(binding);
  return const_cast<std::byte*>(static_cast<const std::byte*>(output(binding)));
}

int64_t BindingMemory::provided(size_t binding) const {
  if (!is_data_dependent(binding)) return INT64_MAX;
  return addresses_[binding] != nullptr && !is_staged(binding) ? static_cast<int64_t>(sizes_[binding])
                                                               : outputs_[binding].bytes;
}

bool BindingMemory::provide(size_t binding, const SymbolValues& symbols) {
  const int64_t bytes = needed_[binding] = bytes_of(binding, bindings_[binding].type.shape.evaluate(symbols));
  const bool given = addresses_[binding] != nullptr;
  if (given && sizes_[binding] < static_cast<size_t>(bytes))
    fail(Code::invalid_argument, "'{}' is bound to {} bytes, {} are needed", bindings_[binding].name, sizes_[binding],
         bytes);
  return (!given || is_staged(binding)) && source_.grow(outputs_[binding], std::max<int64_t>(bytes, 1));
}

// --- copies of what is staged

void BindingMemory::fetch(Stream& stream) const {
  for (size_t i = 0; i < count(); ++i)
    if (bindings_[i].is_input && is_staged(i))
      accelerator_->copy(staging_[i].data.get(), addresses_[i], needed_[i], stream);
}

void BindingMemory::deliver(Stream& stream) const {
  for (size_t i = 0; i < count(); ++i)
    if (!bindings_[i].is_input && is_staged(i)) accelerator_->copy(addresses_[i], staged(i), needed_[i], stream);
}

}  // namespace planish
