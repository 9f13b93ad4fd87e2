#pragma once
// Device: memory, queues and time. It knows nothing about operators.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/thread_pool.h"

namespace planish {

// In-order queue of work. Destroying it waits for what was submitted.
class Stream {
 public:
  virtual ~Stream() = default;
  // Runs `work` after everything submitted before. On the null stream, and on an accelerator's, whose work `work` puts
  // there: at once, in the caller.
  virtual Status submit(std::function<Status()> work) = 0;
  // Waits for all submitted work; returns the first failure since the last synchronize.
  virtual Status synchronize() = 0;
  virtual bool is_accelerators() const { return false; }
};

// A point in a stream and the time at which it was reached.
class Event {
 public:
  virtual ~Event() = default;
  virtual Status record(Stream& stream) = 0;
  virtual Status synchronize() = 0;
  virtual bool reached() const = 0;
  virtual double milliseconds_since(const Event& earlier) const = 0;
};

// Where the memory comes from that a device computes in: of an accelerator its own; empty functions: the system.
// `allocate` returns null when there is none.
struct Allocator {
  std::function<void*(size_t bytes, size_t alignment)> allocate;
  std::function<void(void* memory, size_t bytes)> release;
};

class Accelerator;

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string name() const = 0;
  virtual std::string fingerprint() const = 0;  // what timings taken on it depend on

  // Memory of the host; of an accelerator: pinned. 64-byte aligned at least. Throws Error(out_of_memory) naming the
  // size.
  virtual std::shared_ptr<std::byte> allocate(int64_t bytes) = 0;
  virtual std::unique_ptr<Stream> create_stream() = 0;  // owns one thread on the CPU
  virtual Stream& null_stream() = 0;
  virtual std::unique_ptr<Event> create_event() = 0;
  virtual ThreadPool& pool() = 0;
  virtual Accelerator* accelerator() { return nullptr; }  // nullptr: the processor itself computes
};

// The CPU with its thread pool. threads: 0 means one per usable core. `processors`: those that the pool's own threads
// run on, the caller's stays where it is; empty: any. Error(invalid_argument) names one that this process may not run
// on.
std::shared_ptr<Device> create_cpu_device(int threads = 0, Allocator allocator = {},
                                          std::span<const int> processors = {});

// One GPU, by its number. Error(unsupported) says in one line why there is none.
std::shared_ptr<Device> create_cuda_device(int index = 0, int threads = 0, Allocator allocator = {});

bool is_device_name(std::string_view name);  // "cpu", "cuda", "cuda:1", "auto"
void check_device(std::string_view kind);    // Error: why there is none of this kind
// "auto": what PLANISH_DEVICE names; without it a GPU where there is one, else the CPU. Error(invalid_argument) for
// another name.
std::shared_ptr<Device> create_device(std::string_view kind, int threads = 0, Allocator allocator = {},
                                      std::span<const int> processors = {});

}  // namespace planish
