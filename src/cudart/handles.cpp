#include "cudart/handles.h"

namespace planish::cudart {

void HandleTable::add(std::shared_ptr<void> object) {
  const std::lock_guard lock(mutex_);
  const void* handle = object.get();
  objects_[handle] = std::move(object);
}

std::shared_ptr<void> HandleTable::find(const void* handle) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(handle);
  return found == objects_.end() ? nullptr : found->second;
}

std::shared_ptr<void> HandleTable::take(const void* handle) {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(handle);
  if (found == objects_.end()) return nullptr;
  auto object = std::move(found->second);
  objects_.erase(found);
  return object;
}

std::shared_ptr<void> HandleTable::find_if(bool (*accepts)(const void*, const void*), const void* wanted) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [handle, object] : objects_)
    if (accepts(handle, wanted)) return object;
  return nullptr;
}

void HandleTable::clear() {
  std::map<const void*, std::shared_ptr<void>> gone;  // what an object's end calls may come back here
  const std::lock_guard lock(mutex_);
  gone.swap(objects_);
}

}  // namespace planish::cudart
