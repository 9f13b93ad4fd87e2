// Plans for a GPU through the runtime, on a driver without one (fake/driver.h): where memory is used in place, what is
// put on which stream, what is recorded, and what happens when something goes wrong.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "base/file.h"
#include "base/log.h"
#include "cuda/fake/driver.h"
#include "device/accelerator.h"
#include "device/cuda/driver.h"
#include "device/cuda/image_cache.h"
#include "plan/launch.h"
#include "runtime/engine.h"
#include "support/networks.h"

namespace {
std::atomic<int64_t> asked{0};  // for memory of the host, but by the driver
}

void* operator new(size_t bytes) {
  if (fake_cuda_inside() == 0) ++asked;
  void* const memory = std::malloc(bytes > 0 ? bytes : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
// What the standard library's temporary buffers come from; a sanitizer's would not match the delete below.
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  if (fake_cuda_inside() == 0) ++asked;
  return std::malloc(bytes > 0 ? bytes : 1);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace planish {
namespace {

using testing::build_small;

const bool uses_fake = setenv("PLANISH_CUDA_DRIVER", PLANISH_FAKE_DRIVER, 1) == 0;

constexpr int64_t kMost = 64;

Tensor image() {
  const std::string_view text = testing::kFakeImage;
  return Tensor::of<uint8_t>({static_cast<int64_t>(text.size())},
                             {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

ViewDesc view(int32_t buffer, Dim n) { return {buffer, Dim(0), DataType::f32, {n}, {Dim(1)}}; }

Step copy_step(uint32_t id, int32_t from, int32_t to, Dim n) {
  Step step;
  step.id = id;
  step.kind = StepKind::copy;
  step.name = fmt::format("copy {}", id);
  step.op = step.kernel = "copy";
  step.inputs = {view(from, n)};
  step.outputs = {view(to, n)};
  return step;
}

// to = from * factor + summand
Step affine_step(uint32_t id, int32_t from, int32_t to, Dim n, double factor, double summand) {
  Step step;
  step.id = id;
  step.kind = StepKind::launch;
  step.name = fmt::format("affine {}", id);
  step.op = step.kernel = "affine";
  step.params = {{"image", image()},
                 {"grid", std::vector<Dim>{Dim(1), Dim(1), Dim(1)}},
                 {"block", std::vector<int64_t>{32, 1, 1}},
                 {"arguments", std::vector<std::string>{"pointer:i0", "pointer:o0", "long", "float", "float"}},
                 {"values", std::vector<Dim>{n}},
                 {"floats", std::vector<double>{factor, summand}}};
  step.inputs = {view(from, n)};
  step.outputs = {view(to, n)};
  return step;
}

enum : int32_t { kX, kY, kFirst, kMiddle, kLast, kHost };

// y = (x * 2 + 1) * 3 - 5 of f32[N], N up to kMost. `on_host`: x goes through memory of the host's first.
Plan affine_plan(bool on_host = false, const std::string& target = "cuda:sm_90a") {
  const Dim n = Dim::symbol("N");
  Plan plan;
  plan.producer = "test";
  plan.target = target;
  plan.isa = "scalar";
  plan.model = "affine";
  plan.bindings = {{"x", true, {DataType::f32, {n}}, MemorySpace::host},
                   {"y", false, {DataType::f32, {n}}, MemorySpace::host}};
  Profile& profile = plan.profiles.emplace_back();
  profile.symbols["N"] = {SymbolKind::shape, {1, 8, kMost}};
  profile.buffers.push_back({BufferKind::binding, MemorySpace::host, 0, 0, 0, {}});
  profile.buffers.push_back({BufferKind::binding, MemorySpace::host, 1, 0, 0, {}});
  for (int64_t i = 0; i < 3; ++i)
    profile.buffers.push_back({BufferKind::arena, MemorySpace::device, -1, i * kMost * 4, kMost * 4, {}});
  profile.buffers.push_back({BufferKind::arena, MemorySpace::host, -1, 0, kMost * 4, {}});
  profile.device_arena_bytes = 3 * kMost * 4;
  profile.arena_bytes = kMost * 4;
  profile.steps.push_back(on_host ? copy_step(9, kX, kHost, n) : copy_step(0, kX, kFirst, n));
  if (on_host) profile.steps.push_back(copy_step(0, kHost, kFirst, n));
  profile.steps.push_back(affine_step(1, kFirst, kMiddle, n, 2, 1));
  profile.steps.push_back(affine_step(2, kMiddle, kLast, n, 3, -5));
  profile.steps.push_back(copy_step(3, kLast, kY, n));
  return plan;
}

// The same, y through memory of the host's at last.
Plan host_output_plan() {
  Plan plan = affine_plan();
  const Dim n = Dim::symbol("N");
  plan.profiles[0].steps.back() = copy_step(3, kLast, kHost, n);
  plan.profiles[0].steps.push_back(copy_step(9, kHost, kY, n));
  return plan;
}

std::vector<float> numbers(int64_t n, float first = 0) {
  std::vector<float> values(static_cast<size_t>(n));
  std::iota(values.begin(), values.end(), first);
  return values;
}
std::vector<float> expected(std::vector<float> x) {
  for (float& value : x) value = (value * 2 + 1) * 3 - 5;
  return x;
}

// A device, an engine, a context for n elements, and memory of the GPU.
struct Fixture {
  explicit Fixture(Plan plan = affine_plan(), int64_t n = 8, int gpu = 0)
      : device(create_cuda_device(gpu, 1)), engine(Engine::create(std::move(plan), device)), n(n) {
    context = engine->create_context();
    shape(n);
  }
  Accelerator& accelerator() { return *device->accelerator(); }
  void shape(int64_t extent) {
    n = extent;
    context->set_shape("x", std::vector<int64_t>{extent}).raise();
  }
  size_t bytes() const { return static_cast<size_t>(n) * 4; }
  std::shared_ptr<std::byte> memory(const std::vector<float>& values) {
    auto made = accelerator().allocate(static_cast<int64_t>(values.size()) * 4);
    fake_cuda_poke(made.get(), values.data(), static_cast<int64_t>(values.size()) * 4);
    return made;
  }
  std::vector<float> read(const void* from) const {
    std::vector<float> values(static_cast<size_t>(n));
    fake_cuda_peek(values.data(), from, n * 4);
    return values;
  }
  void bind(const char* name, void* data) { context->bind(name, data, bytes()).raise(); }

  std::shared_ptr<Device> device;
  std::shared_ptr<Engine> engine;
  std::unique_ptr<Context> context;
  int64_t n;
};

// What a piece of code did, by the driver's counts.
class Counted {
 public:
  explicit Counted(std::vector<const char*> names) : names_(std::move(names)) {
    for (const char* name : names_) before_.push_back(fake_cuda_count(name));
  }
  std::vector<int64_t> since() const {
    std::vector<int64_t> counts;
    for (size_t i = 0; i < names_.size(); ++i) counts.push_back(fake_cuda_count(names_[i]) - before_[i]);
    return counts;
  }

 private:
  std::vector<const char*> names_;
  std::vector<int64_t> before_;
};
using Counts = std::vector<int64_t>;

TEST(CudaBindings, MemoryOfTheHostIsCopied) {
  Fixture f;
  std::vector<float> x = numbers(8), y(8);
  f.bind("x", x.data());
  f.bind("y", y.data());
  f.context->enqueue().raise();
  EXPECT_EQ(y, expected(x));
}

TEST(CudaBindings, MemoryOfTheGpuIsUsedInPlace) {
  Fixture f;
  const auto x = f.memory(numbers(8)), y = f.memory(numbers(8));
  f.bind("x", x.get());
  f.bind("y", y.get());
  const Counted counted({"copies", "graph_launches"});
  f.context->enqueue().raise();
  EXPECT_EQ(counted.since(), (Counts{0, 1}));
  EXPECT_EQ(f.read(y.get()), expected(numbers(8)));
  EXPECT_EQ(f.read(x.get()), numbers(8));
}

TEST(CudaBindings, MemoryThatIsNotAlignedIsCopied) {
  Fixture f;
  const auto x = f.memory(numbers(9)), y = f.memory(numbers(9));
  f.bind("x", x.get() + 4);
  f.bind("y", y.get() + 4);
  const Counted counted({"copies"});
  f.context->enqueue().raise();
  EXPECT_EQ(counted.since(), (Counts{2}));
  EXPECT_EQ(f.read(y.get() + 4), expected(numbers(8, 1)));
}

TEST(CudaBindings, OneMemoryForBothIsCopiedFrom) {
  Fixture f;
  const auto both = f.memory(numbers(8));
  f.bind("x", both.get());
  f.bind("y", both.get());
  f.context->enqueue().raise();
  EXPECT_EQ(f.read(both.get()), expected(numbers(8)));
}

TEST(CudaBindings, HostStepsGetACopyOfWhatLiesOnTheGpu) {
  Fixture f(affine_plan(true));
  const auto x = f.memory(numbers(8)), y = f.memory(numbers(8));
  f.bind("x", x.get());
  f.bind("y", y.get());
  for (int run = 0; run < 2; ++run) {
    f.context->enqueue().raise();
    EXPECT_EQ(f.read(y.get()), expected(numbers(8)));
  }
}

TEST(CudaBindings, MemoryOfAnotherGpuIsCopied) {
  fake_cuda_configure("devices=2");
  Fixture first, second(affine_plan(), 8, 1);
  const auto x = first.memory(numbers(8)), y = first.memory(numbers(8));
  second.bind("x", x.get());
  second.bind("y", y.get());
  const Counted counted({"copies"});
  second.context->enqueue().raise();
  EXPECT_EQ(counted.since(), (Counts{2}));
  EXPECT_EQ(second.read(y.get()), expected(numbers(8)));
  fake_cuda_configure("devices=1");
}

TEST(CudaEnqueue, NeitherWaitsNorAllocates) {
  Fixture f;
  const auto x = f.memory(numbers(8)), y = f.memory(numbers(8));
  const auto stream = f.device->create_stream();
  f.bind("x", x.get());
  f.bind("y", y.get());
  f.context->enqueue(stream.get()).raise();
  stream->synchronize().raise();
  const std::vector<float> zeros(8);
  fake_cuda_poke(y.get(), zeros.data(), 32);
  const Counted counted({"waits", "allocations", "pinned", "instantiations", "graph_launches"});
  const int64_t before = asked;
  for (int run = 0; run < 10; ++run) f.context->enqueue(stream.get()).raise();
  EXPECT_EQ(asked - before, 0);
  EXPECT_EQ(counted.since(), (Counts{0, 0, 0, 0, 10}));
  EXPECT_EQ(f.read(y.get()), zeros);  // nobody has waited
  stream->synchronize().raise();
  EXPECT_EQ(f.read(y.get()), expected(numbers(8)));
}

TEST(CudaEnqueue, PinnedMemoryIsNotWaitedFor) {
  Fixture f;
  const auto x = f.device->allocate(32), y = f.device->allocate(32);
  std::copy_n(numbers(8).data(), 8, reinterpret_cast<float*>(x.get()));
  std::fill_n(reinterpret_cast<float*>(y.get()), 8, 0.f);
  const auto stream = f.device->create_stream();
  f.bind("x", x.get());
  f.bind("y", y.get());
  const Counted counted({"waits", "pageable_copies"});
  f.context->enqueue(stream.get()).raise();
  EXPECT_EQ(counted.since(), (Counts{0, 0}));
  EXPECT_EQ(reinterpret_cast<float*>(y.get())[7], 0);
  stream->synchronize().raise();
  EXPECT_EQ(std::vector<float>(reinterpret_cast<float*>(y.get()), reinterpret_cast<float*>(y.get()) + 8),
            expected(numbers(8)));
}

TEST(CudaEnqueue, AddressesThatComeBackAreRecordedOnce) {
  Fixture f;
  std::vector<std::shared_ptr<std::byte>> xs, ys;
  for (int i = 0; i < 3; ++i)
    xs.push_back(f.memory(numbers(8, static_cast<float>(i)))), ys.push_back(f.memory(numbers(8)));
  const Counted counted({"instantiations", "updates"});
  for (int run = 0; run < 9; ++run) {
    const auto i = static_cast<size_t>(run % 3);
    f.bind("x", xs[i].get());
    f.bind("y", ys[i].get());
    f.context->enqueue().raise();
    EXPECT_EQ(f.read(ys[i].get()), expected(numbers(8, static_cast<float>(i))));
  }
  EXPECT_EQ(counted.since(), (Counts{3, 0}));
}

TEST(CudaEnqueue, NewAddressesReplaceWhatWasRecorded) {
  Fixture f;
  const auto x = f.memory(numbers(8));
  f.bind("x", x.get());
  const Counted counted({"instantiations", "updates"});
  std::vector<std::shared_ptr<std::byte>> kept;
  for (int run = 0; run < 12; ++run) {
    kept.push_back(f.memory(numbers(8)));
    f.bind("y", kept.back().get());
    f.context->enqueue().raise();
    EXPECT_EQ(f.read(kept.back().get()), expected(numbers(8)));
  }
  EXPECT_EQ(counted.since(), (Counts{4, 8}));
}

TEST(CudaEnqueue, ShapesThatComeBackAreReady) {
  Fixture f;
  const auto x = f.memory(numbers(kMost)), y = f.memory(numbers(kMost));
  const auto run = [&](int64_t n) {
    f.shape(n);
    f.bind("x", x.get());
    f.bind("y", y.get());
    f.context->enqueue().raise();
    EXPECT_EQ(f.read(y.get()), expected(numbers(n)));
  };
  const Counted counted({"instantiations"});
  for (int round = 0; round < 3; ++round)
    for (int64_t n : {8, 64, 1}) run(n);
  EXPECT_EQ(counted.since(), (Counts{3}));
  for (int64_t n = 2; n < 40; ++n) run(n);  // more than are kept
}

TEST(CudaStreams, ACallersStreamKeepsItsOrder) {
  Fixture f;
  const auto x = f.memory(numbers(8)), y = f.memory(numbers(8)), later = f.memory(numbers(8, 100));
  const auto own = f.device->create_stream();  // stands for the caller's
  const auto adopted = f.accelerator().adopt_stream(f.accelerator().native(*own));
  f.bind("x", x.get());
  f.bind("y", y.get());
  const auto back = f.memory(numbers(8));
  f.accelerator().copy(x.get(), later.get(), 32, *own);
  f.context->enqueue(adopted.get()).raise();
  f.accelerator().copy(back.get(), y.get(), 32, *own);
  own->synchronize().raise();
  EXPECT_EQ(f.read(back.get()), expected(numbers(8, 100)));
}

TEST(CudaStreams, TheDefaultStreamIsOneOfThem) {
  Fixture f;
  const auto x = f.memory(numbers(8)), y = f.memory(numbers(8));
  f.bind("x", x.get());
  f.bind("y", y.get());
  const auto adopted = f.accelerator().adopt_stream(nullptr);
  f.context->enqueue(adopted.get()).raise();
  adopted->synchronize().raise();
  EXPECT_EQ(f.read(y.get()), expected(numbers(8)));
}

TEST(CudaStreams, AContextOnTwoStreamsDoesOneAfterTheOther) {
  Fixture f;
  const auto x = f.memory(numbers(8)), y = f.memory(numbers(8)), x2 = f.memory(numbers(8, 5)),
             y2 = f.memory(numbers(8));
  const auto first = f.device->create_stream(), second = f.device->create_stream();
  f.bind("x", x.get());
  f.bind("y", y.get());
  f.context->enqueue(first.get()).raise();
  f.bind("x", x2.get());
  f.bind("y", y2.get());
  f.context->enqueue(second.get()).raise();
  second->synchronize().raise();
  EXPECT_EQ(f.read(y.get()), expected(numbers(8)));
  EXPECT_EQ(f.read(y2.get()), expected(numbers(8, 5)));
}

TEST(CudaStreams, AFailureIsItsOwnersAlone) {
  Fixture f(affine_plan(true));
  const auto x = f.memory(numbers(8)), y = f.memory(numbers(8));
  const auto stream = f.device->create_stream();
  f.bind("x", x.get());
  EXPECT_EQ(f.context->enqueue(stream.get()).code(), Code::invalid_state);  // y is not bound
  f.bind("y", y.get());
  for (int run = 0; run < 2; ++run)
    f.context->enqueue(stream.get()).raise();  // waits for the stream, for its host step
  EXPECT_EQ(stream->synchronize().code(), Code::invalid_state);
  EXPECT_TRUE(stream->synchronize().ok());
  EXPECT_EQ(f.read(y.get()), expected(numbers(8)));
}

TEST(CudaStreams, AContextThatGoesWaitsForThem) {
  Fixture f;
  const auto arena = f.accelerator().allocate(3 * kMost * 4);
  ContextOptions options;
  options.arena = arena.get();
  options.arena_bytes = 3 * kMost * 4;
  f.context = f.engine->create_context(options);
  f.shape(8);
  const auto x = f.memory(numbers(8)), y = f.memory(numbers(8));
  const auto stream = f.device->create_stream();
  f.bind("x", x.get());
  f.bind("y", y.get());
  f.context->enqueue(stream.get()).raise();
  EXPECT_NE(f.read(y.get()), expected(numbers(8)));
  const Counted counted({"waits"});
  f.context.reset();
  EXPECT_EQ(counted.since(), (Counts{1}));
  EXPECT_EQ(f.read(y.get()), expected(numbers(8)));
}

TEST(CudaStreams, OfAnotherDeviceAreRefused) {
  fake_cuda_configure("devices=2");
  Fixture f;
  const auto x = f.memory(numbers(8)), y = f.memory(numbers(8));
  f.bind("x", x.get());
  f.bind("y", y.get());
  const auto other = create_cuda_device(1, 1);
  const auto theirs = other->create_stream(), of_host = create_cpu_device(1)->create_stream();
  EXPECT_EQ(f.context->enqueue(theirs.get()).code(), Code::invalid_argument);
  EXPECT_EQ(f.context->enqueue(of_host.get()).code(), Code::invalid_argument);
  EXPECT_THROW(f.accelerator().adopt_stream(other->accelerator()->native(*theirs)), Error);
  int nothing = 0;
  EXPECT_THROW(f.accelerator().adopt_stream(&nothing), Error);
  fake_cuda_configure("devices=1");
}

TEST(CudaStreams, CallersRecordWhatIsEnqueued) {
  Fixture f;
  const auto x = f.memory(numbers(8)), y = f.memory(numbers(8));
  f.bind("x", x.get());
  f.bind("y", y.get());
  const auto recorded = f.accelerator().record([&](Stream& stream) { f.context->enqueue(&stream).raise(); });
  const auto stream = f.device->create_stream();
  for (float first : {0.f, 7.f}) {
    fake_cuda_poke(x.get(), numbers(8, first).data(), 32);
    recorded->submit(*stream);
    stream->synchronize().raise();
    EXPECT_EQ(f.read(y.get()), expected(numbers(8, first)));
  }
}

TEST(CudaStreams, WhatComputesOnTheHostIsNotRecorded) {
  Fixture f(affine_plan(true));
  const auto x = f.memory(numbers(8)), y = f.memory(numbers(8));
  f.bind("x", x.get());
  f.bind("y", y.get());
  try {
    f.accelerator().record([&](Stream& stream) { f.context->enqueue(&stream).raise(); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_state);
    EXPECT_NE(std::string(error.what()).find("copy 9"), std::string::npos) << error.what();
  }
  f.context->enqueue().raise();
  EXPECT_EQ(f.read(y.get()), expected(numbers(8)));
}

TEST(CudaMemory, TheCallersAllocatorGivesAllOfIt) {
  const auto pool = create_cuda_device(0, 1);
  std::map<void*, std::shared_ptr<std::byte>> given;
  size_t bytes = 0;
  {
    const auto device = create_cuda_device(0, 1,
                                           {[&](size_t size, size_t alignment) -> void* {
                                              EXPECT_EQ(alignment, 256u);
                                              auto memory = pool->accelerator()->allocate(static_cast<int64_t>(size));
                                              bytes += size;
                                              return given.emplace(memory.get(), memory).first->first;
                                            },
                                            [&](void* memory, size_t) { given.erase(memory); }});
    const auto engine = Engine::create(affine_plan(), device);
    const Counted counted({"allocations"});
    const size_t asked_before = given.size();
    const auto context = engine->create_context();
    EXPECT_EQ(static_cast<int64_t>(given.size() - asked_before), counted.since()[0]);
    EXPECT_GE(bytes, static_cast<size_t>(3 * kMost * 4));
  }
  EXPECT_TRUE(given.empty());
}

TEST(CudaMemory, AContextComputesInTheCallersArena) {
  Fixture f;
  const auto arena = f.accelerator().allocate(3 * kMost * 4);
  ContextOptions options;
  options.arena = arena.get();
  options.arena_bytes = 3 * kMost * 4;
  const Counted counted({"allocations"});
  f.context = f.engine->create_context(options);
  EXPECT_EQ(counted.since(), (Counts{0}));
  f.shape(8);
  std::vector<float> x = numbers(8), y(8);
  f.bind("x", x.data());
  f.bind("y", y.data());
  f.context->enqueue().raise();
  EXPECT_EQ(y, expected(x));
  alignas(256) std::byte of_host[3 * kMost * 4];
  options.arena = of_host;
  EXPECT_THROW(f.engine->create_context(options), Error);
}

// What the host wrote for the GPU is copied later than it is replaced by more.
TEST(CudaMemory, WhatIsStillCopiedIsKept) {
  Fixture f(host_output_plan());
  const auto x = f.memory(numbers(kMost)), y = f.memory(numbers(kMost)), more = f.memory(numbers(kMost));
  const auto first = f.device->create_stream(), second = f.device->create_stream();
  f.bind("x", x.get());
  f.bind("y", y.get());
  f.context->enqueue(first.get()).raise();
  EXPECT_NE(f.read(y.get()), expected(numbers(8)));
  f.shape(kMost);
  f.bind("x", x.get());
  f.bind("y", more.get());
  f.context->enqueue(second.get()).raise();
  second->synchronize().raise();
  EXPECT_EQ(f.read(more.get()), expected(numbers(kMost)));
  first->synchronize().raise();
  f.n = 8;
  EXPECT_EQ(f.read(y.get()), expected(numbers(8)));
}

std::string message_of(const std::function<void()>& call, Code code) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}
void expect_says(const std::string& text, std::initializer_list<const char*> parts) {
  for (const char* part : parts) EXPECT_NE(text.find(part), std::string::npos) << text;
}
void expect_cpu_usable() {
  auto device = create_cpu_device(1);
  EXPECT_NE(Engine::create(build_small(true), device)->create_context(), nullptr);
}

TEST(CudaFailures, OutOfMemorySaysWhatIsNeededAndFree) {
  const auto device = create_cuda_device(0, 1);
  const auto engine = Engine::create(affine_plan(), device);
  fake_cuda_configure("memory=600");
  expect_says(message_of([&] { engine->create_context(); }, Code::out_of_memory),
              {"creating a context", "affine", "768 bytes", "are free"});
  fake_cuda_configure("memory=8589934592");
  EXPECT_NE(engine->create_context(), nullptr);
  expect_cpu_usable();
}

TEST(CudaFailures, AnEarlierKernelsFailureIsNamedOnce) {
  Fixture f;
  std::vector<float> x = numbers(8), y(8);
  f.bind("x", x.data());
  f.bind("y", y.data());
  f.context->enqueue().raise();
  int lines = 0;
  set_log_sink([&](Severity severity, std::string_view) { lines += severity == Severity::error ? 1 : 0; });
  fake_cuda_fail(700);
  const Status status = f.context->enqueue();
  EXPECT_EQ(status.code(), Code::internal);
  expect_says(std::string(status.message()), {"CUDA_ERROR_ILLEGAL_ADDRESS", "earlier kernel", "the CPU it can"});
  EXPECT_FALSE(f.context->enqueue().ok());
  expect_cpu_usable();
  EXPECT_EQ(lines, 1);
  fake_cuda_fail(0);
  set_log_sink({});
  EXPECT_TRUE(f.context->enqueue().ok());
  EXPECT_EQ(y, expected(x));
}

// The copy of y fails when launches are queued.
TEST(CudaFailures, WhatWasQueuedBeforeIsWaitedFor) {
  Fixture f;
  const auto stream = f.device->create_stream();
  const auto x = f.memory(numbers(8)), y = f.memory(numbers(9));
  f.bind("x", x.get());
  f.bind("y", y.get() + 4);
  f.context->enqueue().raise();
  const Counted alone({"waits", "graph_launches", "records"});
  fake_cuda_copies(0);
  EXPECT_EQ(f.context->enqueue().code(), Code::internal);
  EXPECT_EQ(alone.since(), (Counts{1, 1, 1}));
  const Counted on_stream({"waits", "graph_launches", "records"});
  EXPECT_EQ(f.context->enqueue(stream.get()).code(), Code::internal);
  EXPECT_EQ(on_stream.since(), (Counts{0, 1, 1}));
  fake_cuda_copies(-1);
  f.context->enqueue().raise();
  EXPECT_EQ(f.read(y.get() + 4), expected(numbers(8)));
  EXPECT_FALSE(stream->synchronize().ok());
}

// Steps that did not get the addresses they should have get them with the next run, whatever they are.
TEST(CudaFailures, StepsThatWereHalfPlacedArePlacedAgain) {
  Plan plan = affine_plan();
  Step& first = plan.profiles[0].steps[1];
  std::vector<Dim> map(kMapNumbers, Dim(0));
  map[3] = 1;  // its rank
  first.params.set("arguments", std::vector<std::string>{"pointer:i0", "pointer:o0", "long", "float", "float", "map"});
  first.params.set("maps", map);
  Fixture f(std::move(plan));
  f.context->enable_profiling(true).raise();  // nothing is recorded
  const auto x = f.memory(numbers(8)), other = f.memory(numbers(8, 4)), y = f.memory(numbers(8));
  f.bind("x", x.get());
  f.bind("y", y.get());
  f.context->enqueue().raise();
  f.bind("x", other.get());
  fake_cuda_configure("encode=1");
  EXPECT_EQ(f.context->enqueue().code(), Code::internal);
  fake_cuda_configure("encode=0");
  f.bind("x", x.get());
  f.context->enqueue().raise();
  EXPECT_EQ(f.read(y.get()), expected(numbers(8)));
}

TEST(CudaFailures, APlanForAnotherArchitectureSaysHowToRebuildIt) {
  expect_says(
      message_of([&] { Engine::create(affine_plan(false, "cuda:sm_80"), create_cuda_device(0, 1)); }, Code::mismatch),
      {"cuda:sm_80", "cuda:sm_90a", "planish build MODEL --device cuda"});
  expect_says(message_of([&] { Engine::create(affine_plan(), create_cpu_device(1)); }, Code::mismatch),
              {"cuda:sm_90a", "planish build MODEL --device cpu"});
}

TEST(CudaFailures, DriversThatAreOfNoUseSayWhy) {
  const auto reason = [](const char* settings, const char* back) {
    fake_cuda_configure(settings);
    std::string text = cuda::open_driver(PLANISH_FAKE_DRIVER).reason;
    fake_cuda_configure(back);
    return text;
  };
  expect_says(reason("version=11080", "version=13000"), {"11.8", "12.0 or later"});
  expect_says(reason("devices=0", "devices=1"), {"no CUDA device"});
  expect_says(reason("init=100", "init=0"), {"no CUDA device", "cuInit"});
  expect_says(cuda::open_driver("/nowhere/libcuda.so").reason, {"no CUDA driver", "/nowhere"});
  EXPECT_THROW(create_cuda_device(7, 1), Error);
}

TEST(CudaCache, TimingsGoWithTheImages) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("planish_images_" + std::to_string(getpid()));
  const char* const before = std::getenv("PLANISH_CACHE");
  const std::string kept = before == nullptr ? "" : before;
  setenv("PLANISH_CACHE", folder.c_str(), 1);
  setenv("PLANISH_CACHE_MB", "1", 1);
  const std::string timings = cuda::timings_file(cuda::cache_folder(), 7), others = folder / "notes.txt";
  write_file_atomic(timings, std::string(1 << 20, 't'));
  write_file_atomic(others, std::string(1 << 20, 'n'));
  fs::last_write_time(timings, fs::file_time_type::clock::now() - std::chrono::hours(1));
  const std::string image(1 << 10, 'i');
  cuda::cache_image(hash128("a", 1), image);  // the first one of a process looks at the folder's size
  EXPECT_FALSE(fs::exists(timings));
  EXPECT_TRUE(fs::exists(others));
  EXPECT_EQ(cuda::cached_image(hash128("a", 1)), image);
  fs::remove_all(folder);
  setenv("PLANISH_CACHE", kept.c_str(), 1);
  unsetenv("PLANISH_CACHE_MB");
}

// An H200's clocks and widths.
TEST(CudaDevices, PeaksAreOfClocksAndWidths) {
  const AcceleratorPeaks peaks = create_cuda_device(0, 1)->accelerator()->peaks();
  EXPECT_NEAR(peaks.bytes, 4.917e12, 1e9);
  EXPECT_NEAR(peaks.sixteen_bits, 1.0705e15, 1e12);
  EXPECT_EQ(peaks.eight_bits, 2 * peaks.sixteen_bits);
  EXPECT_EQ(peaks.tf32, peaks.sixteen_bits / 2);
  EXPECT_NEAR(peaks.vector, 66.9e12, 1e11);
}

TEST(CudaDevices, AutoObeysTheEnvironment) {
  setenv("PLANISH_DEVICE", "cpu", 1);
  EXPECT_EQ(create_device("auto", 1)->accelerator(), nullptr);
  setenv("PLANISH_DEVICE", "cuda:0", 1);
  EXPECT_NE(create_device("auto", 1)->accelerator(), nullptr);
  unsetenv("PLANISH_DEVICE");
  EXPECT_NE(create_device("auto", 1)->accelerator(), nullptr);
  EXPECT_TRUE(uses_fake);
}

}  // namespace
}  // namespace planish
