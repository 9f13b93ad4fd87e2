#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <thread>

#include "unit/api/common.h"

namespace planish::testing {
namespace {

std::string temporary_path(const std::string& name) {
  return (std::filesystem::temp_directory_path() / (name + std::to_string(getpid()))).string();
}

TEST(Engine, TellsItsBindingsAndRanges) {
  const Engine engine(build(small_network(), untuned()));
  const auto bindings = engine.bindings();
  ASSERT_EQ(bindings.size(), 2u);
  EXPECT_EQ(bindings[0].name, "x");
  EXPECT_TRUE(bindings[0].is_input);
  EXPECT_EQ(bindings[0].extents, (Extents{-1, 3, 8, 8}));
  EXPECT_EQ(bindings[0].type, "f32[N,3,8,8]");
  EXPECT_EQ(bindings[1].name, "y");
  EXPECT_EQ(bindings[1].dtype, DataType::f32);
  const Range range = engine.range("y");
  EXPECT_EQ(range.min, (Extents{1, 10}));
  EXPECT_EQ(range.opt, (Extents{2, 10}));
  EXPECT_EQ(range.max, (Extents{4, 10}));
  EXPECT_GT(engine.arena_bytes(), 0);
  EXPECT_GT(engine.info().constant_bytes, 4 * (10 * 128 + 8 * 3 * 9));
  EXPECT_STREQ(engine.info().model, "small");
  EXPECT_EQ(error_of([&] { engine.binding("nobody"); }).code(), Code::not_found);
}

TEST(Engine, TellsWhatStepsReadAndWrite) {
  const Engine engine(build(small_network(), untuned()));
  std::set<int32_t> written;
  bool reads_x = false, writes_y = false, weights = false;
  for (int32_t i = 0; i < planish_engine_step_count(engine.handle(), 0); ++i) {
    auto step = detail::sized<planish_step_info>();
    detail::check(planish_engine_get_step(engine.handle(), 0, i, &step));
    auto tensor = detail::sized<planish_step_tensor_info>();
    for (int32_t j = 0; j < step.input_count + step.output_count; ++j) {
      detail::check(planish_engine_get_step_tensor(engine.handle(), 0, i, j, &tensor));
      if (tensor.buffer < 0) continue;
      if (tensor.binding == 0) reads_x = Extents(tensor.extents, tensor.extents + tensor.rank) == Extents{2, 3, 8, 8};
      if (tensor.binding == 1) writes_y = j >= step.input_count && tensor.extents[1] == 10 && tensor.strides[1] == 1;
      weights = weights || (tensor.constant != 0 && tensor.dtype == PLANISH_F32);
      if (j >= step.input_count)
        written.insert(tensor.buffer);
      else
        EXPECT_TRUE(tensor.constant != 0 || tensor.binding == 0 || written.count(tensor.buffer) == 1) << step.name;
    }
    EXPECT_EQ(planish_engine_get_step_tensor(engine.handle(), 0, i, step.input_count + step.output_count, &tensor),
              PLANISH_INVALID_ARGUMENT);
  }
  EXPECT_TRUE(reads_x && writes_y && weights);
  EXPECT_EQ(planish_engine_get_step_tensor(engine.handle(), 0, -1, 0, nullptr), PLANISH_INVALID_ARGUMENT);
}

TEST(Engine, FileMemoryAndPlanGiveEqualResults) {
  const Plan plan = build(small_network(), untuned());
  const std::string path = temporary_path("engine");
  plan.save(path);
  const auto x = random_values(2 * 192, 9);
  Engine from_plan(plan), from_file(path), from_memory(plan.bytes()), trusting(path, {.trust_constants = true});
  Context first(from_plan);
  const auto expected = run(first, 2, x);
  double sum = 0;
  for (float value : expected) sum += value;
  EXPECT_NEAR(sum, 2, 1e-5);  // softmax
  for (Engine* engine : {&from_file, &from_memory, &trusting}) {
    Context context(*engine);
    EXPECT_EQ(run(context, 2, x), expected);
  }
  std::filesystem::remove(path);
}

TEST(Engine, BorrowedMemoryIsReleasedLast) {
  const Plan plan = build(small_network(), untuned());
  int released = 0;
  auto options = detail::sized<planish_load_options>();
  options.flags = PLANISH_LOAD_BORROW;
  options.release = [](void* user) { ++*static_cast<int*>(user); };
  options.release_user = &released;
  planish_engine* engine = nullptr;
  EXPECT_EQ(planish_engine_from_memory(plan.bytes().data() + 1, plan.bytes().size() - 1, &options, &engine),
            PLANISH_INVALID_ARGUMENT);
  EXPECT_EQ(planish_engine_from_memory(plan.bytes().data(), plan.bytes().size() - 1, &options, &engine),
            PLANISH_INVALID_PLAN);
  EXPECT_EQ(released, 0);
  ASSERT_EQ(planish_engine_from_memory(plan.bytes().data(), plan.bytes().size(), &options, &engine), PLANISH_OK)
      << planish_last_error();
  planish_context* context = nullptr;
  ASSERT_EQ(planish_context_create(engine, nullptr, &context), PLANISH_OK);
  planish_engine_destroy(engine);
  EXPECT_EQ(released, 0);
  planish_context_destroy(context);
  EXPECT_EQ(released, 1);
}

TEST(Engine, BadFilesAreErrorsThatNameThem) {
  const Error missing = error_of([] { Engine("/nowhere/x.plan"); });
  EXPECT_EQ(missing.code(), Code::not_found);
  EXPECT_NE(std::string(missing.what()).find("/nowhere/x.plan"), std::string::npos);
  const std::vector<std::byte> rubbish(100);
  EXPECT_EQ(error_of([&] { Engine{std::span<const std::byte>(rubbish)}; }).code(), Code::invalid_plan);
  EXPECT_EQ(error_of([] { Device(1000000); }).code(), Code::invalid_argument);
  EXPECT_EQ(error_of([] { Device(-1); }).code(), Code::invalid_argument);
}

TEST(CInterface, NullAndWrongSizesAreStatuses) {
  planish_engine* engine = nullptr;
  EXPECT_EQ(planish_engine_load(nullptr, nullptr, &engine), PLANISH_INVALID_ARGUMENT);
  EXPECT_EQ(planish_engine_load("x", nullptr, nullptr), PLANISH_INVALID_ARGUMENT);
  planish_load_options options{};
  EXPECT_EQ(planish_engine_load("x", &options, &engine), PLANISH_INVALID_ARGUMENT);
  EXPECT_NE(std::string(planish_last_error()).find("struct_size"), std::string::npos);
  options.struct_size = sizeof options;
  options.flags = 128;
  EXPECT_EQ(planish_engine_load("x", &options, &engine), PLANISH_INVALID_ARGUMENT);
  EXPECT_EQ(planish_context_enqueue(nullptr, nullptr), PLANISH_INVALID_ARGUMENT);
  EXPECT_EQ(planish_stream_synchronize(nullptr), PLANISH_INVALID_ARGUMENT);
  EXPECT_EQ(planish_engine_find_binding(nullptr, "x"), -1);
  EXPECT_EQ(engine, nullptr);
  planish_engine_destroy(nullptr);
  planish_context_destroy(nullptr);
  EXPECT_STREQ(planish_status_name(PLANISH_BUSY), "busy");
  EXPECT_STREQ(planish_dtype_name(PLANISH_BF16), "bf16");
  EXPECT_EQ(planish_dtype_bytes(PLANISH_I64), 8u);
  EXPECT_STREQ(planish_version(), PLANISH_VERSION_STRING);
}

// A caller compiled with a shorter struct gets what it has room for.
TEST(CInterface, AShorterStructIsFilledAsFarAsItGoes) {
  const Engine engine(build(small_network(), untuned()));
  planish_engine_info info;
  std::memset(&info, 0x5a, sizeof info);
  info.struct_size = offsetof(planish_engine_info, target);
  ASSERT_EQ(planish_engine_get_info(engine.handle(), &info), PLANISH_OK);
  EXPECT_STREQ(info.model, "small");
  EXPECT_EQ(info.struct_size, offsetof(planish_engine_info, target));
  EXPECT_EQ(info.profile_count, 0x5a5a5a5a);
}

// A caller compiled with a longer one: what this library does not know must be zero, and is given back as zero.
TEST(CInterface, ALongerStructIsOfANewerHeader) {
  const Engine engine(build(small_network(), untuned()));
  struct {
    planish_engine_info known;
    int64_t newer;
  } info;
  std::memset(&info, 0x5a, sizeof info);
  info.known.struct_size = sizeof info;
  ASSERT_EQ(planish_engine_get_info(engine.handle(), &info.known), PLANISH_OK);
  EXPECT_STREQ(info.known.model, "small");
  EXPECT_EQ(info.newer, 0);
  EXPECT_EQ(info.known.struct_size, sizeof info);
  struct {
    planish_context_options known;
    int64_t newer;
  } options{};
  options.known.struct_size = sizeof options;
  planish_context* context = nullptr;
  EXPECT_EQ(planish_context_create(engine.handle(), &options.known, &context), PLANISH_OK);
  planish_context_destroy(context);
  context = nullptr;
  options.newer = 1;
  EXPECT_EQ(planish_context_create(engine.handle(), &options.known, &context), PLANISH_INVALID_ARGUMENT);
  EXPECT_NE(std::string(planish_last_error()).find("beyond"), std::string::npos) << planish_last_error();
  EXPECT_EQ(context, nullptr);
}

TEST(Engine, PathsEndWhereTheyEnd) {
  const std::string path("a.plan\0b", 8);
  for (const auto& use : std::vector<std::function<void()>>{[&] { Engine{path}; }, [&] { Network::import_file(path); },
                                                            [&] { load_plugin_library(path); }}) {
    const Error refused = error_of(use);
    EXPECT_EQ(refused.code(), Code::invalid_argument);
    EXPECT_NE(std::string(refused.what()).find("NUL"), std::string::npos) << refused.what();
  }
}

TEST(CInterface, LastErrorBelongsToTheThread) {
  planish_engine* engine = nullptr;
  EXPECT_EQ(planish_engine_load("/nowhere/here", nullptr, &engine), PLANISH_NOT_FOUND);
  std::string other = "unset";
  std::thread([&] { other = planish_last_error(); }).join();
  EXPECT_EQ(other, "");
  EXPECT_NE(std::string(planish_last_error()).find("/nowhere/here"), std::string::npos);
}

class CountingAllocator final : public Allocator {
 public:
  void* allocate(size_t bytes, size_t alignment) noexcept override {
    ++live;
    return refuse ? nullptr : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  }
  void release(void* memory, size_t) noexcept override {
    --live;
    std::free(memory);
  }
  std::atomic<int> live{0};
  bool refuse = false;
};

TEST(Device, AnAllocatorGivesTheContextsTheirMemory) {
  CountingAllocator allocator;
  const auto x = random_values(192, 1);
  {
    const Device device(2, &allocator);
    EXPECT_EQ(device.threads(), 2);
    const Engine engine(build(small_network(), untuned()), {.device = &device});
    Context one(engine), two(engine);
    EXPECT_EQ(allocator.live.load(), 2);
    EXPECT_EQ(run(one, 1, x), run(two, 1, x));
    allocator.refuse = true;
    EXPECT_EQ(error_of([&] { Context{engine}; }).code(), Code::out_of_memory);
    --allocator.live;  // the refused one
  }
  EXPECT_EQ(allocator.live.load(), 0);
}

TEST(Context, AGivenArenaIsUsedAndChecked) {
  const Engine engine(build(small_network(), untuned()));
  const auto bytes = static_cast<size_t>(engine.arena_bytes());
  std::vector<std::byte> memory(bytes + 128);
  void* start = memory.data();
  size_t space = memory.size();
  ASSERT_NE(std::align(64, bytes, start, space), nullptr);
  const std::span<std::byte> arena(static_cast<std::byte*>(start), bytes);
  Context context(engine, {.arena = arena}), own(engine);
  const auto x = random_values(4 * 192, 3);
  EXPECT_EQ(run(context, 4, x), run(own, 4, x));
  EXPECT_TRUE(std::any_of(arena.begin(), arena.end(), [](std::byte b) { return b != std::byte{0}; }));
  EXPECT_EQ(error_of([&] { Context(engine, {.arena = arena.first(bytes - 64)}); }).code(), Code::invalid_argument);
  EXPECT_EQ(error_of([&] { Context(engine, {.arena = std::span(memory).subspan(1)}); }).code(), Code::invalid_argument);
  EXPECT_EQ(error_of([&] { Context(engine, {.profile = 7}); }).code(), Code::invalid_argument);
}

TEST(Context, ProfilerSeesEveryStep) {
  const Engine engine(build(small_network(), untuned()));
  Context context(engine);
  std::vector<std::string> names;
  double total = 0;
  context.set_profiler([&](const StepTiming& step) {
    names.emplace_back(step.name);
    total += step.milliseconds;
  });
  run(context, 2, random_values(2 * 192, 3));
  EXPECT_GE(names.size(), 4u);
  EXPECT_GT(total, 0);
  EXPECT_TRUE(std::any_of(names.begin(), names.end(),
                          [](const std::string& name) { return name.find("conv1") != std::string::npos; }));
  const size_t count = names.size();
  context.set_profiler({});
  run(context, 2, random_values(2 * 192, 3));
  EXPECT_EQ(names.size(), count);
}

}  // namespace
}  // namespace planish::testing
