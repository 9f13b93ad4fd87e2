// What is handed to the methods of a plugin that Python implements, and what they answer.
#ifndef PLANISH_PYTHON_PLUGIN_CALLS_H
#define PLANISH_PYTHON_PLUGIN_CALLS_H

#include "python/tensorrt/plugins.h"

namespace planish_python {

template <typename T>
py::object self_of(T const* self) {
  return py::cast(self, py::return_value_policy::reference);
}

// `count` descriptions as a list of references: valid during the call.
template <typename T>
py::list list_of(T const* rows, int32_t count) {
  py::list list;
  for (int32_t i = 0; i < count; ++i) list.append(py::cast(rows[i]));
  return list;
}

inline py::list addresses_of(void const* const* pointers, int32_t count) {
  py::list list;
  for (int32_t i = 0; i < count; ++i) list.append(py::int_(address(pointers[i])));
  return list;
}

// A call that returns nothing, 0 or False where all is well.
inline int32_t status_of(py::object const& result) {
  return result.is_none() || result.is(py::bool_(true)) ? 0 : py::int_(result).cast<int32_t>();
}

}  // namespace planish_python

#endif
