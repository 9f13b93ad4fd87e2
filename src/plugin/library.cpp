#include "plugin/library.h"

#include <dlfcn.h>

#include "plugin/c_plugin.h"

namespace planish {
namespace {

thread_local std::string add_failure;

// Called by the library's code: nothing may be thrown through it.
planish_status add_type(const planish_plugin_type* type) noexcept {
  try {
    if (type != nullptr && type->name != nullptr && find_plugin(type->name) != nullptr) return PLANISH_INVALID_STATE;
    register_c_plugin(type);
    return PLANISH_OK;
  } catch (const std::exception& error) {
    add_failure = error.what();
  } catch (...) {
    add_failure = "an exception of unknown type";
  }
  return PLANISH_INVALID_ARGUMENT;
}

}  // namespace

void load_plugin_library(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) fail(Code::not_found, "the library of plugins {} cannot be loaded: {}", path, dlerror());
  const auto add_all = reinterpret_cast<planish_register_plugins_fn>(dlsym(library, "planish_register_plugins"));
  if (add_all == nullptr) {
    dlclose(library);
    fail(Code::invalid_argument,
         "{} registers no plugins: neither it nor a library that it links has planish_register_plugins", path);
  }
  add_failure.clear();
  if (const planish_status status = add_all(path.c_str(), add_type); status != PLANISH_OK)
    fail(Code::invalid_argument, "the library of plugins {}: {}", path,
         add_failure.empty() ? fmt::format("planish_register_plugins returned {}", status) : add_failure);
}

}  // namespace planish
