#pragma once
// Paths of Python: str, bytes and os.PathLike, of any bytes but NUL.

#include <string>

#include "python/module.h"

namespace planish::python {

// In the file system's encoding. Error(invalid_argument) for a NUL, TypeError for what is no path.
std::string path_of(nanobind::handle path);

}  // namespace planish::python
