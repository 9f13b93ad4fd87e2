#pragma once
// NumPy's .npy files.

#include <cstddef>
#include <span>
#include <string>

#include "tensor/tensor.h"

namespace planish::cli {

// Reads format versions 1 to 3, C or Fortran order, little-endian numeric and bool dtypes (f16 included). The file
// holds the header and the elements, no byte more or less.
Tensor read_npy(const std::string& path);
Tensor parse_npy(std::span<const std::byte> bytes);
void write_npy(const std::string& path, const Tensor& tensor);  // atomic

}  // namespace planish::cli
