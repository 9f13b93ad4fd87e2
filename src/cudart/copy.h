#pragma once
// Copies and fills of rows and slices; a plain one is a single row.

#include "cudart/memory.h"
#include "cudart/stream.h"

namespace planish::cudart {

// `height` rows of `width` bytes, `pitch` apart, in `depth` slices, `slice` apart.
struct Box {
  size_t width = 0, height = 1, depth = 1;
};
struct Side {
  void* memory = nullptr;
  size_t pitch = 0, slice = 0;
};

struct Copy {
  Side to, from;
  Box box;
  cudaMemcpyKind kind = cudaMemcpyDefault;

  // Whether a side is memory of the host that nobody has registered; then CUDA's copies do not return before they are
  // done (or, into the device, before they have their own copy).
  struct Pageable {
    bool to = false, from = false;
  };
  cudaError_t check(Pageable* pageable) const;
  cudaError_t run() const;
};

struct Fill {
  Side to;
  Box box;  // width in elements
  unsigned value = 0, element = 1;

  cudaError_t check() const;
  cudaError_t run() const;
};

cudaError_t copy_now(const Copy& copy);
cudaError_t copy_on(const Copy& copy, cudaStream_t stream);
cudaError_t fill_now(const Fill& fill);
cudaError_t fill_on(const Fill& fill, cudaStream_t stream);

}  // namespace planish::cudart
