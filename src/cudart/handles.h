#pragma once
// Objects behind opaque handles. A handle that is not in the table is refused, never followed.

#include <memory>
#include <mutex>
#include <unordered_map>

namespace planish::cudart {

template <class T, class Handle>
class Handles {
 public:
  Handle add(std::shared_ptr<T> object) {
    const auto handle = reinterpret_cast<Handle>(object.get());
    const std::lock_guard lock(mutex_);
    objects_[handle] = std::move(object);
    return handle;
  }
  std::shared_ptr<T> find(Handle handle) const {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(handle);
    return found == objects_.end() ? nullptr : found->second;
  }
  std::shared_ptr<T> take(Handle handle) {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(handle);
    if (found == objects_.end()) return nullptr;
    auto object = std::move(found->second);
    objects_.erase(found);
    return object;
  }
  // The first object that `accepts`; null: none.
  template <class Accepts>
  std::shared_ptr<T> find_if(Accepts&& accepts) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [handle, object] : objects_)
      if (accepts(*object)) return object;
    return nullptr;
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    objects_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<Handle, std::shared_ptr<T>> objects_;
};

}  // namespace planish::cudart
