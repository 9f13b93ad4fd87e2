#pragma once
// Memory of the host that grows and keeps what is in it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "device/device.h"

namespace planish {

struct Storage {
  std::shared_ptr<std::byte> data;
  int64_t bytes = 0;
};

// Where the storages of one context get their memory. On an accelerator, copies that were put on a stream may still use
// what is replaced: it stays until it is released.
class StorageSource {
 public:
  explicit StorageSource(Device& device) : device_(device) {}

  // To `bytes` at least, keeping what is in it; true: the memory is another. Grows by half, so that a result that a
  // loop lengthens row by row is copied a few times only.
  bool grow(Storage& storage, int64_t bytes);
  void replace(Storage& storage, int64_t bytes);  // what is in it is lost
  bool has_replaced() const { return !replaced_.empty(); }
  void release() { replaced_.clear(); }  // nothing uses it any more

 private:
  void set(Storage& storage, std::shared_ptr<std::byte> data, int64_t bytes);

  Device& device_;
  std::vector<std::shared_ptr<std::byte>> replaced_;
};

}  // namespace planish
