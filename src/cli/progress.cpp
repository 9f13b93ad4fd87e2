#include "cli/progress.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace planish::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kBarWidth = 32;
constexpr std::chrono::milliseconds kRedraw{80};
constexpr std::chrono::seconds kPlainLine{10};

struct Shown {
  std::string phase;
  Clock::time_point when;
  bool bar = false;
};

Shown& shown() {
  static Shown state;
  return state;
}

void draw_bar(const BuildProgress& progress) {
  const int filled = progress.total > 0 ? kBarWidth * progress.done / progress.total : 0;
  const std::string bar =
      std::string(static_cast<size_t>(filled), '#') + std::string(static_cast<size_t>(kBarWidth - filled), '.');
  std::fprintf(stderr, "\r\033[K[%s] %s %d/%d", bar.c_str(), progress.phase.c_str(), progress.done, progress.total);
  std::fflush(stderr);
  shown().bar = true;
}

void print_line(const BuildProgress& progress, bool fresh) {
  if (fresh)
    std::fprintf(stderr, "%s\n", progress.phase.c_str());
  else
    std::fprintf(stderr, "%s %d/%d\n", progress.phase.c_str(), progress.done, progress.total);
}

}  // namespace

bool show_progress(const BuildProgress& progress) {
  const bool terminal = isatty(STDERR_FILENO) != 0, fresh = progress.phase != shown().phase;
  const auto now = Clock::now();
  if (progress.phase == "done") {
    clear_progress();
  } else if (fresh || now - shown().when > (terminal ? Clock::duration(kRedraw) : Clock::duration(kPlainLine))) {
    terminal ? draw_bar(progress) : print_line(progress, fresh);
    shown().when = now;
  }
  shown().phase = progress.phase;
  return true;
}

void clear_progress() {
  if (shown().bar) std::fprintf(stderr, "\r\033[K");
  shown().bar = false;
}

}  // namespace planish::cli
