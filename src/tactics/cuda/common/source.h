#pragma once
// CUDA source: element types, pointwise programs as functions, and images by content.

#include <string>
#include <vector>

#include "base/hash.h"
#include "kernels/pointwise.h"
#include "tensor/tensor.h"

namespace planish::tactics::cuda {

// The element type as kernels/cuda/view.cuh has it ("half_t"); empty: no kernel that computes in fp32 takes it.
std::string device_type(DataType type);
// Those of 64 bits among them, which kernels take that compute in double or integers.
std::string wide_type(DataType type);

// The unsigned integer of an element's size ("uint16_t"): for kernels that only move elements.
std::string word_type(DataType type);

// What programs compute in: float, double, int64_t.
enum class Arithmetic { f32, f64, i64 };
std::string arithmetic_type(Arithmetic arithmetic);

// "const float r3 = r0 + r2;" for each instruction; registers of `inputs` are there.
std::string statements(const PointwiseProgram& program, Arithmetic arithmetic);

// The first lines of a source with statements, whose results are of the element type `result` ("half_t").
std::string with_primitives(const std::string& result);

// "-DNAME=VALUE"
std::string define(const std::string& name, const std::string& value);
std::string define(const std::string& name, int64_t value);

// Of the kernels and the compiler: what an image, and how long it takes, depends on.
Hash128 sources_hash();

// A cubin of `source`, which may include kernels/cuda/*.cuh; u8 [bytes]. Equal requests are compiled once, and kept on
// disk (device/cuda/image_cache.h). Any thread may call: different requests are compiled side by side.
Tensor image_of(const std::string& source, const std::vector<std::string>& options, const std::string& arch);

// Of this process so far; seconds of all threads together.
struct ImageCounts {
  int compiled = 0, from_disk = 0;
  double seconds = 0;
};
ImageCounts image_counts();

}  // namespace planish::tactics::cuda
