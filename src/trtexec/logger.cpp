#include "trtexec/logger.h"

#include <cstdio>
#include <ctime>

namespace planish::trtexec {

void Logger::write(Severity severity, const std::string& text) {
  if (severity > most_) return;
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "%m/%d/%Y-%H:%M:%S", &local);
  const char letter = "FEWIV"[static_cast<size_t>(severity)];
  const std::lock_guard lock(mutex_);
  std::FILE* out = severity < Severity::kINFO ? stderr : stdout;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = fmt::format("[{}] [{}] {}\n", stamp, letter, text.substr(begin, end - begin));
    std::fwrite(line.data(), 1, line.size(), out);
    begin = end + 1;
  }
  std::fflush(out);
}

Logger& logger() {
  static Logger one;
  return one;
}

}  // namespace planish::trtexec
