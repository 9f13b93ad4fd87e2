#pragma once
// Which processors threads run on.

#include <cstddef>
#include <memory>
#include <span>

namespace planish {

int usable_processors();  // of the calling thread, at least 1

// While it lives, the calling thread and the threads that it starts run on these processors alone; then it runs again
// where it did, and they stay. Empty: nothing changes.
class Confined {
 public:
  // Error(invalid_argument) for a number that the system refuses.
  explicit Confined(std::span<const int> processors);
  ~Confined();
  Confined(const Confined&) = delete;
  Confined& operator=(const Confined&) = delete;

 private:
  std::unique_ptr<struct ProcessorSet> before_;
};

}  // namespace planish
