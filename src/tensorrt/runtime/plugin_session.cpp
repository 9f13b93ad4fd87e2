#include "tensorrt/runtime/plugin_session.h"

namespace planish::tensorrt {

thread_local PluginSession* PluginSession::current_ = nullptr;

}  // namespace planish::tensorrt
