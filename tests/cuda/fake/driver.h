#pragma once
// What a test asks of the fake driver (driver.cpp): how it is set up, and what was done with it.
//
// Its device memory cannot be touched by the host, its streams do their work when somebody waits for them, as late as
// is allowed. Kernels are those of images that begin with kFakeImage (below); of any other image a launch does nothing.

#include <cstdint>

namespace planish::testing {

constexpr const char* kFakeImage = "an image for the fake driver";
// Kernels: affine(const float* in, float* out, int64_t count, float factor, float summand).

}  // namespace planish::testing

extern "C" {
// "devices=2,arch=90,memory=1000000,version=13000,init=0,encode=0": those not named stay. PLANISH_FAKE_CUDA at first.
void fake_cuda_configure(const char* text);
// From now on every call that does work returns this; 0: none does.
void fake_cuda_fail(int result);
// So many copies from now on are taken, further ones are refused; negative: all are taken.
void fake_cuda_copies(int64_t taken);
// How often: allocations, pinned, waits, records, launches, graph_launches, instantiations, updates, copies,
// pageable_copies. Since the beginning.
int64_t fake_cuda_count(const char* what);
// Above 0: this thread is in a call of the driver.
int fake_cuda_inside();
// Copies from or to device memory, at once.
void fake_cuda_peek(void* to, const void* device, int64_t bytes);
void fake_cuda_poke(void* device, const void* from, int64_t bytes);
}
