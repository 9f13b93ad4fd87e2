#pragma once
// NumPy's .npz archives: zip files of .npy files.

#include <map>
#include <string>

#include "tensor/tensor.h"

namespace planish::cli {

// Members (stored or deflated, ZIP64 included) by name without ".npy"; their checksums are verified.
std::map<std::string, Tensor> read_npz(const std::string& path);

}  // namespace planish::cli
