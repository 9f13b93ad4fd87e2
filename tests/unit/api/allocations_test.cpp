#include "unit/api/allocations.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

namespace {

std::atomic<int64_t> g_allocations{0};

}  // namespace

namespace planish::testing {
int64_t allocations() { return g_allocations.load(); }
}  // namespace planish::testing

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

// Called by the sanitizers' allocators.
extern "C" __attribute__((visibility("default"))) void __sanitizer_malloc_hook(const volatile void*, size_t) {
  ++g_allocations;
}

#else

extern "C" {

void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* memory, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) {
  ++g_allocations;
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  ++g_allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, size_t bytes) {
  ++g_allocations;
  return __libc_realloc(memory, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  ++g_allocations;
  return __libc_memalign(alignment, bytes);
}

}  // extern "C"

#endif

namespace {

TEST(Allocations, AreCounted) {
  const int64_t before = planish::testing::allocations();
  const auto memory = std::make_unique<int[]>(100);
  EXPECT_NE(memory, nullptr);
  EXPECT_GT(planish::testing::allocations(), before);
}

}  // namespace
