// The library as a whole: version, names, log, plugins.

#include "plugin/library.h"
#include "api/runtime/handles.h"
#include "base/log.h"
#include "planish/planish_plugin.h"
#include "plugin/c_plugin.h"

using namespace planish;
using planish::api::guarded;
using planish::api::required;

namespace {

bool is_dtype(planish_dtype type) {
  return type >= PLANISH_NONE && type <= static_cast<planish_dtype>(planish::kLastDataType);
}

}  // namespace

extern "C" {

const char* planish_version(void) { return PLANISH_VERSION; }

const char* planish_status_name(planish_status status) {
  return status >= 0 && status <= PLANISH_INTERNAL ? code_name(static_cast<Code>(status)).data() : "unknown";
}

const char* planish_dtype_name(planish_dtype type) {
  return is_dtype(type) ? data_type_name(static_cast<DataType>(type)).data() : "unknown";
}

size_t planish_dtype_bytes(planish_dtype type) {
  if (!is_dtype(type) || type == PLANISH_NONE || type == PLANISH_STRING) return 0;
  return static_cast<size_t>(element_bytes(static_cast<DataType>(type)));
}

planish_status planish_set_log(planish_log_fn sink, void* user, planish_severity level) {
  return guarded([&] {
    if (level < PLANISH_LOG_ERROR || level > PLANISH_LOG_VERBOSE)
      fail(Code::invalid_argument, "log level {}, 0 to 3 are known", level);
    set_log_sink([=](Severity severity, std::string_view text) {
      if (sink != nullptr) sink(user, static_cast<planish_severity>(severity), std::string(text).c_str());
    });
    set_log_level(static_cast<Severity>(level));
  });
}

planish_status planish_plugin_register(const planish_plugin_type* type) {
  return guarded([&] { register_c_plugin(type); });
}

planish_status planish_plugin_unregister(const char* name) {
  return guarded([&] { unregister_plugin(&required(name, "the plugin's name")); });
}

planish_status planish_plugin_load_library(const char* path) {
  return guarded([&] { load_plugin_library(&required(path, "the library's path")); });
}

}  // extern "C"
