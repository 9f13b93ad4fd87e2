#include "python/module.h"

#include <planish/planish.hpp>

namespace planish::python {
namespace {

namespace nb = nanobind;

void raise(const std::exception_ptr& thrown, void* type) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    nb::object made = nb::borrow<nb::object>(static_cast<PyObject*>(type))(error.what());
    made.attr("code") = planish_status_name(static_cast<planish_status>(error.code()));
    PyErr_SetObject(static_cast<PyObject*>(type), made.ptr());
  }
}

}  // namespace

void add_errors(nb::module_& module) {
  const auto type = nb::steal<nb::object>(PyErr_NewExceptionWithDoc(
      "planish.Error", "One sentence that says what was found and what is accepted; `code` names its kind.",
      PyExc_RuntimeError, nullptr));
  module.attr("Error") = type;
  nb::register_exception_translator(raise, type.ptr());  // the module keeps it
}

}  // namespace planish::python

NB_MODULE(_planish, module) {
  using namespace planish::python;
  module.attr("__version__") = planish_version();
  add_errors(module);
  add_engine(module);
  add_context(module);
  add_build(module);
}
