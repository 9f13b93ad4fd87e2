#pragma once
// Every allocation and registration, so that a pointer can be asked what it is before anything is done with it.

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "cuda_runtime_api.h"

namespace planish::cudart {

struct Block {
  const std::byte* begin = nullptr;
  size_t bytes = 0;
  cudaMemoryType type = cudaMemoryTypeDevice;
  unsigned flags = 0;
  std::shared_ptr<void> owner;  // null: registered, the user's

  size_t bytes_from(const void* pointer) const {
    return bytes - static_cast<size_t>(static_cast<const std::byte*>(pointer) - begin);
  }
};

class Memory {
 public:
  // Aligned to 256 bytes, to huge pages where it is large. Throws where there is no memory.
  void* allocate(size_t bytes, cudaMemoryType type, unsigned flags);
  cudaError_t register_host(void* memory, size_t bytes, unsigned flags);
  // The block that `pointer` lies in.
  std::optional<Block> find(const void* pointer) const;
  // Removes the block that begins at `pointer` and that `accepts`; nothing: there is none.
  template <class Accepts>
  std::optional<Block> take(const void* pointer, Accepts&& accepts) {
    const std::lock_guard lock(mutex_);
    const auto found = blocks_.find(static_cast<const std::byte*>(pointer));
    if (found == blocks_.end() || !accepts(found->second)) return std::nullopt;
    Block block = std::move(found->second);
    allocated_ -= block.owner == nullptr ? 0 : block.bytes;
    blocks_.erase(found);
    return block;
  }
  void clear();
  size_t allocated() const;
  size_t most_allocated() const;

 private:
  mutable std::mutex mutex_;
  std::map<const std::byte*, Block> blocks_;
  size_t allocated_ = 0, most_ = 0;
};
Memory& memory();

// Bytes of the machine, or of what its control group permits.
size_t total_memory();
size_t free_memory();

}  // namespace planish::cudart
