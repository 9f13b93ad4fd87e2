// The Python module `tensorrt`: what its files share. Names, defaults and units are those of the interface's Python
// form.
#ifndef PLANISH_PYTHON_BINDINGS_H
#define PLANISH_PYTHON_BINDINGS_H

#include <NvInfer.h>
#include <NvInferPlugin.h>
#include <NvOnnxParser.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace planish_python {

namespace py = pybind11;
using namespace nvinfer1;  // NOLINT: every name of it is bound here

void bind_types(py::module_& m);
void bind_interfaces(py::module_& m);
void bind_calibrators(py::module_& m);
void bind_layers(py::module_& m);
void bind_layers_shape(py::module_& m);
void bind_network(py::module_& m);
void bind_network_adds(py::module_& m);
void bind_algorithms(py::module_& m);
void bind_config(py::module_& m);
void bind_builder(py::module_& m);
void bind_context(py::module_& m);
void bind_engine(py::module_& m);
void bind_runtime(py::module_& m);
void bind_onnx(py::module_& m);
void bind_plugins(py::module_& m);
void bind_plugin_types(py::module_& m);
void bind_second_generation(py::module_& m);
void bind_third_generation(py::module_& m);

// Ends a network and lets go of the arrays that its layers' weights lie in.
struct EndNetwork {
  void operator()(INetworkDefinition* network) const;
};
using Network = py::class_<INetworkDefinition, std::unique_ptr<INetworkDefinition, EndNetwork>>;

// Objects that belong to another object: Python never ends them.
template <typename T, typename... Bases>
using Borrowed = py::class_<T, Bases..., std::unique_ptr<T, py::nodelete>>;

using NoGil = py::call_guard<py::gil_scoped_release>;

// Calls that Python implements end here: an exception of theirs is printed as one that nobody can catch, and
// `otherwise` is the answer.
template <typename T, typename F>
T answered(T otherwise, char const* where, F&& call) {
  py::gil_scoped_acquire gil;
  try {
    return call();
  } catch (py::error_already_set& error) {
    error.discard_as_unraisable(where);
  } catch (std::exception const& error) {
    PyErr_SetString(PyExc_TypeError, error.what());
    PyErr_WriteUnraisable(py::str(where).ptr());
  }
  return otherwise;
}

template <typename F>
void told(char const* where, F&& call) {
  answered(0, where, [&] {
    call();
    return 0;
  });
}

// The method `name` of the Python object that `self` is a part of; TypeError when its class has none.
template <typename T>
py::function method(T const* self, char const* name) {
  py::function found = py::get_override(self, name);
  if (!found) throw py::type_error(std::string("the method ") + name + " is not implemented");
  return found;
}

// An address or a handle: anything that int() takes.
using Address = std::uintptr_t;

inline void* pointer(Address address) { return reinterpret_cast<void*>(address); }
inline Address address(void const* memory) { return reinterpret_cast<Address>(memory); }
inline cudaStream_t stream(Address handle) { return reinterpret_cast<cudaStream_t>(handle); }

// The array type of an element type; TypeError where numpy has none of its own.
py::dtype array_type(DataType type);
DataType element_type(py::dtype const& type);
Dims dims_of(std::vector<int64_t> const& extents);
std::vector<int64_t> extents_of(Dims const& dims);

// The weights in `value` (an array, Weights, or None), which stays alive until the network that `owner` is (or belongs
// to) ends.
Weights weights_of(void const* owner, py::object const& value);

}  // namespace planish_python

#endif
