// Arrays over memory that is there.
#ifndef PLANISH_PYTHON_ARRAYS_H
#define PLANISH_PYTHON_ARRAYS_H

#include <cstdint>

#include "python/tensorrt/bindings.h"

namespace planish_python {

// A row of elements: over `data` where `owner` keeps it alive, else a copy.
py::array row_of_elements(py::dtype const& type, int64_t count, void const* data, py::handle owner = py::handle());

}  // namespace planish_python

#endif
