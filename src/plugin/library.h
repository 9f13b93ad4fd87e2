#pragma once
// Libraries of plugins, loaded at run time.

#include <string>

namespace planish {

// Has the library register its types (planish_plugin.h, planish_register_plugins) and keeps it loaded.
// Error(not_found): it cannot be loaded; Error(invalid_argument): it registers nothing, with its reason.
void load_plugin_library(const std::string& path);

}  // namespace planish
