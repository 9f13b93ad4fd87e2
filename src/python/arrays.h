#pragma once
// Arrays of Python as memory of tensors: what the buffer protocol or DLPack gives (NumPy, PyTorch, …), dense,
// row-major.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <memory>
#include <planish/planish.hpp>
#include <string>

namespace planish::python {

namespace nb = nanobind;

struct Array {
  void* data = nullptr;
  size_t bytes = 0;
  Extents extents;
  bool on_gpu = false;
  std::shared_ptr<const void> owner;  // keeps the memory
};

// To read from: in place where it is dense and its elements are aligned, else a copy. Refuses, naming `what`, other
// element types than `type`.
Array readable(nb::handle object, const std::string& what, DataType type);
// To write to: dense, not read-only.
Array writable(nb::handle object, const std::string& what, DataType type);
// A NumPy array of undefined elements, or of copies of those at `from`.
nb::object new_array(const std::string& what, DataType type, const Extents& extents, const void* from = nullptr);

}  // namespace planish::python
