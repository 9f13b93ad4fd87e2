#pragma once
// The device code of this folder as text, for NVRTC.

#include <span>
#include <string_view>

namespace planish {

struct CudaSource {
  std::string_view name, text;  // "pointwise.cuh"
};

// Every file kernels/cuda/*.cuh, by name.
std::span<const CudaSource> cuda_sources();

}  // namespace planish
