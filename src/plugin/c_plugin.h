#pragma once
// A table of C functions seen as a plugin type.

#include "planish/planish_plugin.h"
#include "plugin/plugin.h"

namespace planish {

// Error(invalid_argument): a function that must be there is NULL, or the name is taken; Error(mismatch): another
// ABI version. On failure the table's release is not called.
void register_c_plugin(const planish_plugin_type* type);

}  // namespace planish
