#pragma once
// Accelerator: what a device adds that has memory and code of its own. Work goes onto its streams and is not waited
// for.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/error.h"

namespace planish {

class Event;
class Stream;

// An entry point of a loaded image; valid as long as the image.
struct DeviceFunction;

class DeviceImage {
 public:
  virtual ~DeviceImage() = default;
  // Error(not_found) when there is none; `shared_bytes`: the most that it is launched with.
  virtual const DeviceFunction* function(const std::string& name, int64_t shared_bytes) = 0;
};

struct LaunchShape {
  std::array<uint32_t, 3> grid{1, 1, 1}, block{1, 1, 1}, cluster{1, 1, 1};
  uint32_t shared_bytes = 0;  // dynamic
  bool overlap = false;       // may begin before the kernel in front of it has ended, and waits for it by itself
};

// A tensor map (hardware copies of boxes): of `rank` axes, the innermost first.
struct TensorMapShape {
  bool im2col = false;
  int element = 0;  // CUtensorMapDataType
  uint32_t rank = 0;
  std::array<uint64_t, 5> dims{}, strides{};  // elements; bytes, of axes 1 and on
  std::array<uint32_t, 5> box{}, steps{1, 1, 1, 1, 1};
  std::array<int, 3> lower{}, upper{};  // im2col: corners of the box of pixels
  uint32_t channels = 0, pixels = 0;    // im2col: of a box
  int interleave = 0, swizzle = 0, promotion = 0, fill = 0;
};
struct alignas(64) EncodedTensorMap {
  std::array<uint64_t, 16> opaque{};
};

// Puts work on the stream that it is given.
using StreamWork = std::function<void(Stream&)>;

// Work that was recorded once and is submitted as one piece.
class RecordedWork {
 public:
  virtual ~RecordedWork() = default;
  virtual void submit(Stream& stream) = 0;
  // Records other work instead: cheap where arguments alone differ. What was submitted before is not touched.
  virtual void replace(const StreamWork& work) = 0;
};

// Whose memory an address is: the host's (pinned or not), this device's, or another device's.
enum class MemoryOwner : uint8_t { host, own, other };

// The most that a device does in a second, at the highest clocks it states; 0: not known.
struct AcceleratorPeaks {
  double bytes = 0;                                   // read and written in its memory
  double vector = 0;                                  // fp32 operations on ordinary cores
  double tf32 = 0, sixteen_bits = 0, eight_bits = 0;  // operations in products on tensor cores
};

// Throws Error; its streams are those of the same device.
class Accelerator {
 public:
  virtual ~Accelerator() = default;
  virtual const std::string& arch() const = 0;  // "sm_90a": what images are compiled for
  virtual AcceleratorPeaks peaks() const = 0;

  // 256-byte aligned; of the caller's allocator where there is one. Error(out_of_memory) says what is needed and what
  // is free.
  virtual std::shared_ptr<std::byte> allocate(int64_t bytes) = 0;
  virtual MemoryOwner owner_of(const void* memory) const = 0;
  virtual std::shared_ptr<DeviceImage> load(std::span<const std::byte> image) = 0;
  virtual EncodedTensorMap encode(const TensorMapShape& shape, void* address) = 0;

  // From and to any memory. Host memory that is not pinned may be read or written before the call returns.
  virtual void copy(void* to, const void* from, int64_t bytes, Stream& stream) = 0;
  virtual void launch(const DeviceFunction& function, const LaunchShape& shape, void** arguments, Stream& stream) = 0;
  virtual std::unique_ptr<RecordedWork> record(const StreamWork& work) = 0;
  virtual bool is_recording(Stream& stream) const = 0;  // by whoever owns the stream

  // A stream of the caller's: CUstream or cudaStream_t, the default streams (null, 1, 2) too. Not owned.
  // Error(invalid_argument): it is of another device or context.
  virtual std::unique_ptr<Stream> adopt_stream(void* native) = 0;
  virtual void* native(Stream& stream) const = 0;
  virtual bool accepts(const Stream& stream) const = 0;  // it is one of this device
  // What the stream is given from now on waits for the event.
  virtual void wait(Stream& stream, const Event& event) = 0;
  // The host waits for what the stream was given; failures of submitted work stay with the stream until its owner
  // synchronizes it.
  virtual void finish(Stream& stream) = 0;
  virtual std::unique_ptr<Event> create_mark() = 0;  // an event without a time
};

}  // namespace planish
