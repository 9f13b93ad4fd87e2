#pragma once
// Around the work of every exported function: exceptions become codes, and the thread remembers the last failure.

#include <type_traits>

#include "cudart/forward.h"

namespace planish::cudart {

// The last failure of the calling thread.
cudaError_t& last_error();
// Runs `body` as `call` does.
cudaError_t guarded(cudaError_t (*body)(void*), void* context) noexcept;

template <class Body>
cudaError_t call(Body&& body) noexcept {
  using Plain = std::remove_reference_t<Body>;
  return guarded([](void* context) -> cudaError_t { return (*static_cast<Plain*>(context))(); },
                 const_cast<void*>(static_cast<const void*>(&body)));
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

cudaError_t refuse(cudaError_t error);

}  // namespace planish::cudart
