#pragma once
// Objects behind opaque handles. A handle that is not in the table is refused, never followed.

#include <map>
#include <memory>
#include <mutex>

namespace planish::cudart {

class HandleTable {
 public:
  void add(std::shared_ptr<void> object);
  std::shared_ptr<void> find(const void* handle) const;
  std::shared_ptr<void> take(const void* handle);
  // The first object that `accepts`; null: none.
  std::shared_ptr<void> find_if(bool (*accepts)(const void* object, const void* wanted), const void* wanted) const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::map<const void*, std::shared_ptr<void>> objects_;
};

template <class T, class Handle>
class Handles {
 public:
  Handle add(std::shared_ptr<T> object) {
    const auto handle = reinterpret_cast<Handle>(object.get());
    table_.add(std::move(object));
    return handle;
  }
  std::shared_ptr<T> find(Handle handle) const { return std::static_pointer_cast<T>(table_.find(handle)); }
  std::shared_ptr<T> take(Handle handle) { return std::static_pointer_cast<T>(table_.take(handle)); }
  void clear() { table_.clear(); }
  const HandleTable& table() const { return table_; }

 private:
  HandleTable table_;
};

}  // namespace planish::cudart
