#include "runtime/storage.h"

#include <algorithm>

#include "base/checked.h"

namespace planish {

bool StorageSource::grow(Storage& storage, int64_t bytes) {
  if (bytes <= storage.bytes) return false;
  const int64_t room = std::max(checked_add(storage.bytes, storage.bytes / 2), bytes);
  auto data = device_.allocate(room);
  std::copy_n(storage.data.get(), storage.bytes, data.get());
  set(storage, std::move(data), room);
  return true;
}

void StorageSource::replace(Storage& storage, int64_t bytes) { set(storage, device_.allocate(bytes), bytes); }

void StorageSource::set(Storage& storage, std::shared_ptr<std::byte> data, int64_t bytes) {
  if (storage.data != nullptr && device_.accelerator() != nullptr) replaced_.push_back(std::move(storage.data));
  storage = {std::move(data), bytes};
}

}  // namespace planish
