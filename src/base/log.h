#pragma once
// The log sink of the process. Libraries log through it and never write to a stream of their own.

#include <functional>
#include <string_view>

#include "base/format.h"

namespace planish {

enum class Severity { error, warning, info, verbose };

using LogSink = std::function<void(Severity, std::string_view)>;

// Replaces the sink (default: errors and warnings to stderr). Thread-safe. The sink may be called from
// any thread, one call at a time; an exception that leaves it is swallowed.
void set_log_sink(LogSink sink);

// Messages less severe than this are not formatted. Default: warning.
void set_log_level(Severity level);
bool log_enabled(Severity severity);

void log_text(Severity severity, std::string_view text);

template <class... Args>
void log(Severity severity, fmt::format_string<Args...> text, Args&&... args) {
  if (log_enabled(severity)) log_text(severity, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace planish
