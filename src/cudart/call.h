#pragma once
// Around the work of every exported function: exceptions become codes, and the thread remembers the last failure.

#include <new>

#include "base/error.h"
#include "cudart/forward.h"

namespace planish::cudart {

// The last failure of the calling thread.
cudaError_t& last_error();
// The code for the exception in flight.
cudaError_t error_in_flight() noexcept;

template <class Body>
cudaError_t call(Body&& body) noexcept {
  cudaError_t error = cudaSuccess;
  try {
    error = body();
  } catch (...) {
    error = error_in_flight();
  }
  if (error != cudaSuccess) last_error() = error;
  return error;
}

// For functions that hand out a number or two.
template <class T>
cudaError_t give(T* result, T value) {
  return call([&] {
    if (result == nullptr) return cudaErrorInvalidValue;
    *result = value;
    return cudaSuccess;
  });
}

inline cudaError_t refuse(cudaError_t error) {
  return call([&] { return error; });
}

}  // namespace planish::cudart
