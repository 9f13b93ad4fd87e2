#include "base/log.h"

#include <atomic>
#include <cstdio>
#include <mutex>

namespace planish {
namespace {

std::atomic<Severity> g_level{Severity::warning};

struct Sink {
  std::mutex mutex;
  LogSink call = [](Severity severity, std::string_view text) {
    static constexpr const char* kNames[] = {"error", "warning", "info", "verbose"};
    std::fprintf(stderr, "planish %s: %.*s\n", kNames[static_cast<int>(severity)], static_cast<int>(text.size()),
                 text.data());
  };
};

Sink& sink() {
  static Sink* instance = new Sink;  // outlives every static object that logs in its destructor
  return *instance;
}

}  // namespace

void set_log_sink(LogSink call) {
  const std::lock_guard lock(sink().mutex);
  sink().call = call ? std::move(call) : Sink().call;
}

void set_log_level(Severity level) { g_level = level; }
bool log_enabled(Severity severity) { return severity <= g_level.load(std::memory_order_relaxed); }

void log_text(Severity severity, std::string_view text) {
  const std::lock_guard lock(sink().mutex);
  try {
    sink().call(severity, text);
  } catch (...) {  // a sink's failure must not become the library's
  }
}

}  // namespace planish
