#pragma once
// What the inputs of a network get: files, numbers, or values made up.

#include <map>
#include <string>
#include <vector>

#include "cli/number.h"
#include "tensor/tensor.h"

namespace planish::cli {

struct Input {
  Tensor tensor;
  std::string source;            // the file or the argument that it came from, for messages
  bool raw = false;              // bytes without a format: they take the type and extents of the input they are for
  std::optional<Number> number;  // so do numbers: every element is this one

  bool has_extents() const { return !raw && !number; }
};
using Inputs = std::map<std::string, Input>;                  // by name
using Extents = std::map<std::string, std::vector<int64_t>>;  // by name

// Reads NAME=FILE arguments: .npy, .npz (NAME is the member; FILE.npz alone gives all), .pb, .jpg, .png,
// anything else as raw bytes of the binding's type; or NAME=NUMBER. `recipes`: NAME=RECIPE of --image.
Inputs read_inputs(const std::vector<std::string>& arguments, const std::vector<std::string>& recipes);

std::string file_ending(const std::string& path);  // ".npy" of "x.NPY"
bool is_picture(const std::string& path);          // by its ending

// The file that such an argument names; empty: it gives a number.
std::string input_file(const std::string& argument);

// Values for an input nobody gave: floats uniform in [0, 1), integers in [0, 100), ones where the name says
// "mask", 0, 1, 2… where it says "position". Seeded by the name: the same on every machine.
Tensor random_input(const std::string& name, DataType dtype, const std::vector<int64_t>& extents);

}  // namespace planish::cli
