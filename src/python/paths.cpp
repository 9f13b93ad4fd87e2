#include "python/paths.h"

#include <planish/planish.hpp>

namespace planish::python {

std::string path_of(nanobind::handle path) {
  namespace nb = nanobind;
  const auto bytes = nb::borrow<nb::bytes>(nb::module_::import_("os").attr("fsencode")(path));
  const std::string text(bytes.c_str(), bytes.size());
  if (const size_t at = text.find('\0'); at != std::string::npos)
    throw Error(Code::invalid_argument, "the path '" + text.substr(0, at) + "' goes on behind a NUL; files have none");
  return text;
}

}  // namespace planish::python
