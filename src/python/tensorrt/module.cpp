// The module, piece by piece: what is named in signatures comes first.
#include "python/tensorrt/bindings.h"

namespace planish_python {
namespace {

// cls.__new__(cls) alone would give an object with nothing behind it, which every call takes for one that has. Objects
// of classes without a constructor come from calls; others are made whole at once, and a second __init__ does nothing.
void check_new(py::object const& type) {
  auto* const bound = reinterpret_cast<PyTypeObject*>(type.ptr());
  py::object const plain = py::handle(py::detail::get_internals().instance_base).attr("__new__");
  bool const has_constructor = bound->tp_init != py::detail::pybind11_object_init;
  type.attr("__new__") = py::staticmethod(py::cpp_function(
      [plain, bound, has_constructor](py::handle made_of, py::args const& args, py::kwargs const& names) {
        if (!has_constructor)
          throw py::type_error(std::string(bound->tp_name) +
                               ": objects of this class come from calls, it has no constructor");
        py::object made = plain(made_of);
        if (made_of.ptr() == reinterpret_cast<PyObject*>(bound) && args.empty() && names.empty())
          made.attr("__init__")();
        return made;
      }));
}

void check_objects(py::module_ const& m) {
  std::vector<py::object> types;
  for (auto const& [name, object] : py::dict(m.attr("__dict__"))) {
    bool const is_ours = PyType_Check(object.ptr()) &&
                         py::detail::get_type_info(reinterpret_cast<PyTypeObject*>(object.ptr())) != nullptr;
    if (is_ours && !py::hasattr(object, "__setstate__")) types.push_back(py::reinterpret_borrow<py::object>(object));
  }
  for (py::object const& type : types) check_new(type);
}

}  // namespace
}  // namespace planish_python

PYBIND11_MODULE(tensorrt, m) {
  using namespace planish_python;
  m.doc() = "Builds plans of neural networks and runs them";
  bind_types(m);
  bind_interfaces(m);
  bind_calibrators(m);
  bind_plugins(m);
  bind_layers(m);
  bind_layers_shape(m);
  bind_network(m);
  bind_network_adds(m);
  bind_algorithms(m);
  bind_config(m);
  bind_context(m);
  bind_engine(m);
  bind_runtime(m);
  bind_builder(m);
  bind_onnx(m);
  check_objects(m);
}
