#pragma once
// Who answers: the processor, or the toolkit's library where there is a driver with a device. Decided once, at first
// use.
//
// PLANISH_CUDART=cpu or =cuda forces it, PLANISH_DEVICE=cpu asks for the processor; PLANISH_CUDART_LIBRARY names the
// toolkit's library where it is not found by itself, PLANISH_CUDA_DRIVER the driver's.

#include <utility>

#include "cuda_runtime_api.h"

namespace planish::cudart {

bool on_cuda();

// The function of the toolkit's library; null when it has none of that name, or there is no library (which was forced).
void* real_symbol(const char* name);
// Of the driver.
void* driver_symbol(const char* name);

template <class F>
struct Missing;
template <class... A>
struct Missing<cudaError_t(A...)> {
  static cudaError_t call(A...) { return cudaErrorCallRequiresNewerDriver; }
};

template <class F>
F* real_function(const char* name) {
  void* found = real_symbol(name);
  return found == nullptr ? &Missing<F>::call : reinterpret_cast<F*>(found);
}

// The function that takes arguments of these types.
template <class... A>
auto real_function_for(const char* name, A...) {
  return real_function<cudaError_t(A...)>(name);
}

}  // namespace planish::cudart

// First line of an exported function; the arguments are its parameters, all of them.
#define PLANISH_FORWARD(name, ...)                                                                 \
  if (planish::cudart::on_cuda()) {                                                                \
    static const auto real = planish::cudart::real_function_for(#name __VA_OPT__(, ) __VA_ARGS__); \
    return real(__VA_ARGS__);                                                                      \
  }                                                                                                \
  static_assert(true)
