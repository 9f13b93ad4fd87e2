// The CUDA driver as far as this project calls it, without a GPU: memory, streams, events, graphs, launches.

#include "cuda/fake/driver.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "device/cuda/driver.h"

namespace {

using planish::cuda::Address;
using planish::cuda::DeviceAttribute;
using planish::cuda::FunctionAttribute;
using planish::cuda::GraphUpdateInfo;
using planish::cuda::LaunchConfig;
using planish::cuda::PointerAttribute;
using planish::cuda::TensorMap;

constexpr int kOk = 0, kInvalidValue = 1, kNoMemory = 2, kInvalidContext = 201, kNoBinary = 209, kInvalidHandle = 400,
              kNotFound = 500, kNotReadyYet = 600, kCaptureUnsupported = 900, kUpdateFailed = 910;
constexpr size_t kPage = 4096;

using Work = std::function<void()>;

struct FakeContext {
  int device = 0;
};
struct FakeGraph {
  std::vector<Work> nodes;
};
struct FakeStream {
  FakeContext* context = nullptr;
  std::deque<Work> pending;
  std::unique_ptr<FakeGraph> capture;
};
struct FakeEvent {
  FakeStream* stream = nullptr;  // that it was recorded on, until it is reached
  bool reached = false;
};
struct FakeFunction {
  std::string name;
  bool known = false;
};
struct FakeModule {
  bool known = false;
  std::map<std::string, FakeFunction> functions;
};
struct Block {
  std::byte* inside;
  size_t bytes, mapped;
  int device;
};

struct World {
  std::recursive_mutex mutex;
  std::map<std::string, int64_t> settings{
      {"devices", 1}, {"arch", 90}, {"memory", int64_t{1} << 33}, {"version", 13000}, {"init", 0}};
  std::map<std::string, int64_t> counts;
  int failure = 0;
  int64_t copies_taken = -1;
  std::map<Address, Block> blocks;
  std::map<int, int64_t> used;
  std::map<Address, size_t> pinned;
  FakeContext contexts[16];
  FakeStream defaults[16];
  std::set<FakeStream*> streams;
};

void configure(World& all, std::string rest) {
  while (!rest.empty()) {
    const std::string one = rest.substr(0, rest.find(','));
    rest.erase(0, std::min(rest.size(), one.size() + 1));
    const size_t equals = one.find('=');
    if (equals != std::string::npos) all.settings[one.substr(0, equals)] = std::atoll(one.c_str() + equals + 1);
  }
}

World& world() {
  static World& all = *new World;
  static const bool configured = [] {
    for (int i = 0; i < 16; ++i) all.contexts[i].device = i, all.defaults[i].context = &all.contexts[i];
    if (const char* text = std::getenv("PLANISH_FAKE_CUDA")) configure(all, text);
    return true;
  }();
  static_cast<void>(configured);
  return all;
}

std::vector<FakeContext*>& stack() {
  thread_local std::vector<FakeContext*> all;
  return all;
}
FakeContext* current() { return stack().empty() ? nullptr : stack().back(); }

// How deep this thread is in calls of the driver.
int& depth() {
  thread_local int calls = 0;
  return calls;
}
struct Inside {
  Inside() { ++depth(); }
  ~Inside() { --depth(); }
};

#define LOCKED       \
  const Inside here; \
  const std::lock_guard lock(world().mutex)
#define WORKING \
  LOCKED;       \
  if (world().failure != 0) return world().failure

void count(const char* what) { ++world().counts[what]; }

Block* block_of(Address address) {
  auto at = world().blocks.upper_bound(address);
  if (at == world().blocks.begin()) return nullptr;
  --at;
  return address < at->first + at->second.bytes ? &at->second : nullptr;
}
Address base_of(const Block& block) {
  for (const auto& [address, one] : world().blocks)
    if (&one == &block) return address;
  return 0;
}

// What the fake itself can read and write.
std::byte* reachable(Address address) {
  Block* const block = block_of(address);
  return block == nullptr ? reinterpret_cast<std::byte*>(address) : block->inside + (address - base_of(*block));
}

FakeStream* stream_of(void* handle) {
  const auto value = reinterpret_cast<uintptr_t>(handle);
  if (value <= 2) return current() == nullptr ? nullptr : &world().defaults[current()->device];
  auto* const stream = static_cast<FakeStream*>(handle);
  return world().streams.count(stream) != 0 ? stream : nullptr;
}

void drain(FakeStream& stream) {
  while (!stream.pending.empty()) {
    const Work work = std::move(stream.pending.front());
    stream.pending.pop_front();
    work();
  }
}

void drain_all(int device) {
  for (FakeStream* stream : world().streams)
    if (stream->context->device == device) drain(*stream);
  drain(world().defaults[device]);
}

void push(FakeStream& stream, Work work) {
  if (stream.capture)
    stream.capture->nodes.push_back(std::move(work));
  else
    stream.pending.push_back(std::move(work));
}

void affine(void** arguments, std::vector<Work>& out) {
  const Address from = *static_cast<Address*>(arguments[0]), to = *static_cast<Address*>(arguments[1]);
  const int64_t n = *static_cast<int64_t*>(arguments[2]);
  const float factor = *static_cast<float*>(arguments[3]), summand = *static_cast<float*>(arguments[4]);
  out.push_back([=] {
    const auto* x = reinterpret_cast<const float*>(reachable(from));
    auto* y = reinterpret_cast<float*>(reachable(to));
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] * factor + summand;
  });
}

int copy(Address to, Address from, size_t bytes, void* handle) {
  FakeStream* const stream = stream_of(handle);
  if (stream == nullptr) return kInvalidHandle;
  if (world().copies_taken == 0) return kInvalidValue;
  if (world().copies_taken > 0) --world().copies_taken;
  count("copies");
  const auto is_pageable = [](Address address) {
    const auto at = world().pinned.upper_bound(address);
    const bool pinned = at != world().pinned.begin() && address < std::prev(at)->first + std::prev(at)->second;
    return block_of(address) == nullptr && !pinned;
  };
  const bool reads = is_pageable(from), writes = is_pageable(to);
  if (reads || writes) {
    if (stream->capture) return kCaptureUnsupported;
    count("pageable_copies");
  }
  if (writes) {
    drain(*stream);
    std::memcpy(reinterpret_cast<void*>(to), reachable(from), bytes);
  } else if (reads) {
    const auto* begin = reinterpret_cast<const char*>(from);
    push(*stream,
         [to, kept = std::string(begin, begin + bytes)] { std::memcpy(reachable(to), kept.data(), kept.size()); });
  } else {
    push(*stream, [=] { std::memmove(reachable(to), reachable(from), bytes); });
  }
  return kOk;
}

}  // namespace

extern "C" {

// --- for tests

void fake_cuda_configure(const char* text) {
  LOCKED;
  configure(world(), text);
}
void fake_cuda_fail(int result) {
  LOCKED;
  world().failure = result;
}
void fake_cuda_copies(int64_t taken) {
  LOCKED;
  world().copies_taken = taken;
}
int fake_cuda_inside() { return depth(); }
int64_t fake_cuda_count(const char* what) {
  LOCKED;
  return world().counts[what];
}
void fake_cuda_peek(void* to, const void* device, int64_t bytes) {
  LOCKED;
  std::memcpy(to, reachable(reinterpret_cast<Address>(device)), static_cast<size_t>(bytes));
}
void fake_cuda_poke(void* device, const void* from, int64_t bytes) {
  LOCKED;
  std::memcpy(reachable(reinterpret_cast<Address>(device)), from, static_cast<size_t>(bytes));
}

// --- the driver: devices and contexts

int cuInit(unsigned) { return static_cast<int>(world().settings["init"]); }
int cuDriverGetVersion(int* version) { return *version = static_cast<int>(world().settings["version"]), kOk; }
int cuGetErrorName(int result, const char** name) {
  static const std::map<int, const char*> kNames = {{kInvalidValue, "CUDA_ERROR_INVALID_VALUE"},
                                                    {kNoMemory, "CUDA_ERROR_OUT_OF_MEMORY"},
                                                    {kNoBinary, "CUDA_ERROR_NO_BINARY_FOR_GPU"},
                                                    {700, "CUDA_ERROR_ILLEGAL_ADDRESS"},
                                                    {kCaptureUnsupported, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"}};
  const auto at = kNames.find(result);
  *name = at == kNames.end() ? "CUDA_ERROR_UNKNOWN" : at->second;
  return kOk;
}
int cuGetErrorString(int, const char** text) { return *text = "said by the fake driver", kOk; }
int cuDeviceGetCount(int* number) { return *number = static_cast<int>(world().settings["devices"]), kOk; }
int cuDeviceGet(int* device, int ordinal) { return *device = ordinal, kOk; }
int cuDeviceGetName(char* name, int size, int device) {
  std::snprintf(name, static_cast<size_t>(size), "fake GPU %d", device);
  return kOk;
}
int cuDeviceGetAttribute(int* value, DeviceAttribute which, int) {
  const auto arch = static_cast<int>(world().settings["arch"]);
  *value = which == DeviceAttribute::compute_major       ? arch / 10
           : which == DeviceAttribute::compute_minor     ? arch % 10
           : which == DeviceAttribute::multiprocessors   ? 132
           : which == DeviceAttribute::max_shared_opt_in ? 232448
           : which == DeviceAttribute::clock_khz         ? 1980000
           : which == DeviceAttribute::memory_clock_khz  ? 3201000
           : which == DeviceAttribute::memory_bus_bits   ? 6144
                                                         : 1;
  return kOk;
}
int cuDeviceTotalMem_v2(size_t* bytes, int) { return *bytes = static_cast<size_t>(world().settings["memory"]), kOk; }
int cuDevicePrimaryCtxRetain(FakeContext** context, int device) { return *context = &world().contexts[device], kOk; }
int cuDevicePrimaryCtxRelease_v2(int) { return kOk; }
int cuCtxPushCurrent_v2(FakeContext* context) { return stack().push_back(context), kOk; }
int cuCtxPopCurrent_v2(FakeContext** context) {
  if (stack().empty()) return kInvalidContext;
  *context = stack().back();
  stack().pop_back();
  return kOk;
}
int cuCtxSynchronize() {
  WORKING;
  count("waits");
  return drain_all(current()->device), kOk;
}

// --- memory

int cuMemGetInfo_v2(size_t* free, size_t* total) {
  LOCKED;
  *total = static_cast<size_t>(world().settings["memory"]);
  *free = *total - static_cast<size_t>(world().used[current()->device]);
  return kOk;
}
int cuMemAlloc_v2(Address* address, size_t bytes) {
  WORKING;
  if (current() == nullptr) return kInvalidContext;
  int64_t& used = world().used[current()->device];
  if (bytes == 0) return kInvalidValue;
  if (static_cast<int64_t>(bytes) > world().settings["memory"] - used) return kNoMemory;
  count("allocations");
  const size_t mapped = (bytes + kPage - 1) / kPage * kPage;
  const int file = memfd_create("device memory", MFD_CLOEXEC);
  if (file < 0 || ftruncate(file, static_cast<off_t>(mapped)) != 0) return kNoMemory;
  void* const outside = mmap(nullptr, mapped, PROT_NONE, MAP_SHARED, file, 0);
  void* const inside = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (outside == MAP_FAILED || inside == MAP_FAILED) return kNoMemory;
  if (bytes < (1u << 20)) std::memset(inside, 0xA5, mapped);
  used += static_cast<int64_t>(bytes);
  *address = reinterpret_cast<Address>(outside);
  world().blocks[*address] = {static_cast<std::byte*>(inside), bytes, mapped, current()->device};
  return kOk;
}
int cuMemFree_v2(Address address) {
  LOCKED;
  const auto at = world().blocks.find(address);
  if (at == world().blocks.end()) return kInvalidValue;
  drain_all(at->second.device);
  world().used[at->second.device] -= static_cast<int64_t>(at->second.bytes);
  munmap(reinterpret_cast<void*>(address), at->second.mapped);
  munmap(at->second.inside, at->second.mapped);
  world().blocks.erase(at);
  return kOk;
}
int cuMemAllocAsync(Address* address, size_t bytes, void*) { return cuMemAlloc_v2(address, bytes); }
int cuMemFreeAsync(Address address, void*) { return cuMemFree_v2(address); }
int cuMemAllocHost_v2(void** memory, size_t bytes) {
  WORKING;
  count("pinned");
  *memory = std::aligned_alloc(kPage, (bytes + kPage - 1) / kPage * kPage);
  if (*memory == nullptr) return kNoMemory;
  world().pinned[reinterpret_cast<Address>(*memory)] = bytes;
  return kOk;
}
int cuMemFreeHost(void* memory) {
  LOCKED;
  const auto at = world().pinned.find(reinterpret_cast<Address>(memory));
  if (at == world().pinned.end()) return kInvalidValue;
  std::memset(memory, 0xA5, at->second);  // who still reads it, sees that
  world().pinned.erase(at);
  std::free(memory);
  return kOk;
}
int cuPointerGetAttributes(unsigned number, PointerAttribute* which, void** values, Address address) {
  LOCKED;
  const Block* const block = block_of(address);
  for (unsigned i = 0; i < number; ++i) {
    if (which[i] == PointerAttribute::memory_type)
      *static_cast<unsigned*>(values[i]) = block != nullptr ? planish::cuda::kMemoryTypeDevice : 0;
    if (which[i] == PointerAttribute::device_ordinal)
      *static_cast<int*>(values[i]) = block != nullptr ? block->device : -2;
  }
  return kOk;
}
int cuMemcpyAsync(Address to, Address from, size_t bytes, void* stream) {
  WORKING;
  return copy(to, from, bytes, stream);
}
int cuMemcpyHtoDAsync_v2(Address to, const void* from, size_t bytes, void* stream) {
  WORKING;
  return copy(to, reinterpret_cast<Address>(from), bytes, stream);
}
int cuMemcpyDtoHAsync_v2(void* to, Address from, size_t bytes, void* stream) {
  WORKING;
  return copy(reinterpret_cast<Address>(to), from, bytes, stream);
}
int cuMemsetD8Async(Address to, unsigned char value, size_t bytes, void* handle) {
  WORKING;
  FakeStream* const stream = stream_of(handle);
  if (stream == nullptr) return kInvalidHandle;
  return push(*stream, [=] { std::memset(reachable(to), value, bytes); }), kOk;
}

// --- streams and events

int cuStreamCreate(FakeStream** stream, unsigned) {
  WORKING;
  *stream = new FakeStream;
  (*stream)->context = current();
  return world().streams.insert(*stream), kOk;
}
int cuStreamDestroy_v2(FakeStream* stream) {
  LOCKED;
  drain(*stream);
  world().streams.erase(stream);
  delete stream;
  return kOk;
}
int cuStreamSynchronize(void* handle) {
  WORKING;
  FakeStream* const stream = stream_of(handle);
  if (stream == nullptr) return kInvalidHandle;
  if (stream->capture) return kCaptureUnsupported;
  count("waits");
  return drain(*stream), kOk;
}
int cuStreamWaitEvent(void* handle, FakeEvent* event, unsigned) {
  WORKING;
  FakeStream* const stream = stream_of(handle);
  if (stream == nullptr) return kInvalidHandle;
  FakeStream* const other = event->reached ? nullptr : event->stream;  // what is recorded later is not waited for
  if (other == nullptr || other == stream) return kOk;
  push(*stream, [other] {
    if (world().streams.count(other) != 0) drain(*other);
  });
  return kOk;
}
int cuStreamIsCapturing(void* handle, int* state) {
  LOCKED;
  FakeStream* const stream = stream_of(handle);
  if (stream == nullptr) return kInvalidHandle;
  return *state = stream->capture ? 1 : 0, kOk;
}
int cuStreamGetCtx(void* handle, FakeContext** context) {
  LOCKED;
  FakeStream* const stream = stream_of(handle);
  if (stream == nullptr) return kInvalidHandle;
  return *context = stream->context, kOk;
}
int cuLaunchHostFunc(void* handle, void (*function)(void*), void* data) {
  WORKING;
  FakeStream* const stream = stream_of(handle);
  if (stream == nullptr) return kInvalidHandle;
  return push(*stream, [=] { function(data); }), kOk;
}
int cuEventCreate(FakeEvent** event, unsigned) { return *event = new FakeEvent, kOk; }
int cuEventDestroy_v2(FakeEvent* event) {
  LOCKED;
  if (event->stream != nullptr) drain(*event->stream);
  delete event;
  return kOk;
}
int cuEventRecord(FakeEvent* event, void* handle) {
  WORKING;
  FakeStream* const stream = stream_of(handle);
  if (stream == nullptr) return kInvalidHandle;
  count("records");
  event->stream = stream;
  event->reached = false;
  push(*stream, [event] { event->reached = true, event->stream = nullptr; });
  return kOk;
}
int cuEventQuery(FakeEvent* event) {
  WORKING;
  return event->reached ? kOk : kNotReadyYet;
}
int cuEventSynchronize(FakeEvent* event) {
  WORKING;
  count("waits");
  if (event->stream != nullptr) drain(*event->stream);
  return kOk;
}
int cuEventElapsedTime(float* milliseconds, FakeEvent*, FakeEvent*) { return *milliseconds = 1, kOk; }

// --- graphs

int cuStreamBeginCapture_v2(void* handle, int) {
  WORKING;
  if (reinterpret_cast<uintptr_t>(handle) <= 2) return kCaptureUnsupported;
  FakeStream* const stream = stream_of(handle);
  if (stream == nullptr || stream->capture) return kInvalidHandle;
  return stream->capture = std::make_unique<FakeGraph>(), kOk;
}
int cuStreamEndCapture(void* handle, FakeGraph** graph) {
  LOCKED;
  FakeStream* const stream = stream_of(handle);
  if (stream == nullptr || !stream->capture) return kInvalidHandle;
  return *graph = stream->capture.release(), kOk;
}
int cuGraphInstantiateWithFlags(FakeGraph** made, FakeGraph* graph, unsigned long long) {
  WORKING;
  count("instantiations");
  return *made = new FakeGraph(*graph), kOk;
}
int cuGraphExecUpdate_v2(FakeGraph* made, FakeGraph* graph, GraphUpdateInfo* info) {
  WORKING;
  info->result = made->nodes.size() == graph->nodes.size() ? 0 : 1;
  if (info->result != 0) return kUpdateFailed;
  count("updates");
  return made->nodes = graph->nodes, kOk;
}
int cuGraphLaunch(FakeGraph* graph, void* handle) {
  WORKING;
  FakeStream* const stream = stream_of(handle);
  if (stream == nullptr) return kInvalidHandle;
  count("graph_launches");
  for (const Work& node : graph->nodes) push(*stream, node);
  return kOk;
}
int cuGraphUpload(FakeGraph*, void*) { return kOk; }
int cuGraphExecDestroy(FakeGraph* graph) { return delete graph, kOk; }
int cuGraphDestroy(FakeGraph* graph) { return delete graph, kOk; }

// --- images and launches

int cuModuleLoadData(FakeModule** module, const void* image) {
  WORKING;
  const size_t length = std::strlen(planish::testing::kFakeImage);
  *module = new FakeModule;
  (*module)->known = std::memcmp(image, planish::testing::kFakeImage, length) == 0;
  return kOk;
}
int cuModuleUnload(FakeModule* module) { return delete module, kOk; }
int cuModuleGetFunction(FakeFunction** function, FakeModule* module, const char* name) {
  LOCKED;
  if (module->known && std::string(name) != "affine") return kNotFound;
  *function = &module->functions[name];
  **function = {name, module->known};
  return kOk;
}
int cuFuncGetAttribute(int* value, FunctionAttribute, FakeFunction*) { return *value = 0, kOk; }
int cuFuncSetAttribute(FakeFunction*, FunctionAttribute, int) { return kOk; }
int cuLaunchKernelEx(const LaunchConfig* config, FakeFunction* function, void** arguments, void**) {
  WORKING;
  FakeStream* const stream = stream_of(config->stream);
  if (stream == nullptr) return kInvalidHandle;
  count("launches");
  std::vector<Work> work;
  if (function->known)
    affine(arguments, work);
  else
    work.emplace_back([] {});
  for (Work& one : work) push(*stream, std::move(one));
  return kOk;
}
int cuOccupancyMaxActiveClusters(int* clusters, FakeFunction*, const LaunchConfig*) { return *clusters = 16, kOk; }
int cuTensorMapEncodeTiled(TensorMap*, int, uint32_t, void*, const uint64_t*, const uint64_t*, const uint32_t*,
                           const uint32_t*, int, int, int, int) {
  LOCKED;
  return static_cast<int>(world().settings["encode"]);
}
int cuTensorMapEncodeIm2col(TensorMap*, int, uint32_t, void*, const uint64_t*, const uint64_t*, const int*, const int*,
                            uint32_t, uint32_t, const uint32_t*, int, int, int, int) {
  return kOk;
}

}  // extern "C"
