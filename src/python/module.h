#pragma once
// The parts of the module, each in a file of its own. All take their conversions from here: they must not differ.

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace planish::python {

void add_errors(nanobind::module_& module);
void add_engine(nanobind::module_& module);
void add_context(nanobind::module_& module);
void add_build(nanobind::module_& module);

}  // namespace planish::python
