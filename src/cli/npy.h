#pragma once
// NumPy's .npy and .npz files.

#include <map>
#include <string>

#include "tensor/tensor.h"

namespace planish::cli {

// Reads format versions 1 to 3, C or Fortran order, little-endian numeric and bool dtypes (f16 included).
Tensor read_npy(const std::string& path);
void write_npy(const std::string& path, const Tensor& tensor);  // atomic

// Members of an .npz archive (stored or deflated), by name without ".npy".
std::map<std::string, Tensor> read_npz(const std::string& path);

}  // namespace planish::cli
