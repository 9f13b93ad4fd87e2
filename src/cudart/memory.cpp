#include "cudart/memory.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include "base/checked.h"
#include "cudart/stream.h"

namespace planish::cudart {
namespace {

constexpr size_t kBlockAlignment = 256, kHugeBlock = size_t{2} << 20;

// The device aligns large blocks to more than this, and small ones to less.
std::shared_ptr<std::byte> aligned_block(size_t bytes) {
  const size_t extra = bytes < kHugeBlock ? kBlockAlignment : 0;
  auto raw = device().allocate(static_cast<int64_t>(bytes + extra));
  const auto address = reinterpret_cast<uintptr_t>(raw.get());
  return {raw, raw.get() + (kBlockAlignment - address % kBlockAlignment) % kBlockAlignment};
}

// The number behind "MemTotal:" and its like, in bytes; 0: not there.
size_t meminfo(const char* key) {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);)
    if (line.compare(0, std::strlen(key), key) == 0) return std::stoull(line.substr(std::strlen(key))) * 1024;
  return 0;
}

// A file with one number; `missing` where there is none ("max").
size_t number_in(const char* path, size_t missing) {
  size_t value = 0;
  std::ifstream file(path);
  return file >> value ? value : missing;
}

}  // namespace

void* Memory::allocate(size_t bytes, cudaMemoryType type, unsigned flags) {
  if (bytes > total_memory()) fail(Code::out_of_memory, "{} bytes are more than the machine has", bytes);
  auto owner = aligned_block(bytes);
  std::byte* const begin = owner.get();
  const std::lock_guard lock(mutex_);
  blocks_[begin] = {begin, bytes, type, flags, std::move(owner)};
  allocated_ += bytes;
  most_ = std::max(most_, allocated_);
  return begin;
}

cudaError_t Memory::register_host(void* memory, size_t bytes, unsigned flags) {
  const auto begin = static_cast<const std::byte*>(memory), end = begin + bytes;
  const std::lock_guard lock(mutex_);
  const auto next = blocks_.upper_bound(begin);
  if (next != blocks_.end() && next->first < end) return cudaErrorHostMemoryAlreadyRegistered;
  if (next != blocks_.begin()) {
    const Block& before = std::prev(next)->second;
    if (before.begin + before.bytes > begin) return cudaErrorHostMemoryAlreadyRegistered;
  }
  blocks_[begin] = {begin, bytes, cudaMemoryTypeHost, flags, nullptr};
  return cudaSuccess;
}

std::optional<Block> Memory::find(const void* pointer) const {
  const auto address = static_cast<const std::byte*>(pointer);
  const std::lock_guard lock(mutex_);
  const auto next = blocks_.upper_bound(address);
  if (next == blocks_.begin()) return std::nullopt;
  const Block& block = std::prev(next)->second;
  if (address >= block.begin + block.bytes) return std::nullopt;
  return block;
}

void Memory::clear() {
  const std::lock_guard lock(mutex_);
  blocks_.clear();
  allocated_ = 0;
}

size_t Memory::allocated() const {
  const std::lock_guard lock(mutex_);
  return allocated_;
}

size_t Memory::most_allocated() const {
  const std::lock_guard lock(mutex_);
  return most_;
}

Memory& memory() {
  static Memory& all = *new Memory;
  return all;
}

size_t total_memory() {
  static const size_t machine = meminfo("MemTotal:");
  static const size_t limit = number_in("/sys/fs/cgroup/memory.max", machine);
  return std::min(machine, limit);
}

size_t free_memory() {
  const size_t used = number_in("/sys/fs/cgroup/memory.current", 0), total = total_memory();
  return std::min(meminfo("MemAvailable:"), total - std::min(total, used));
}

}  // namespace planish::cudart
