#pragma once
// The device code of this folder as text, for NVRTC.
//
// Files include each other only, and macros (-D) make kernels of them. A line `// instance [arch …]: MACRO=VALUE …`
// names an instantiation that tests/cuda/compile_all.cpp compiles. Macros have two letters or more: the compiler's own
// headers have parameters called T.

#include <span>
#include <string_view>

namespace planish {

struct CudaSource {
  std::string_view name, text;  // "pointwise.cuh"
};

// Every file kernels/cuda/*.cuh, by name.
std::span<const CudaSource> cuda_sources();

}  // namespace planish
