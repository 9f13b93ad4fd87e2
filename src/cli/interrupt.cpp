#include "cli/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "cli/progress.h"

namespace planish::cli {
namespace {

// Those that the shell does not have ignored, as it does for a command in the background or under nohup.
sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) sigaddset(&set, number);
  }
  return set;
}

struct Folders {
  std::mutex mutex;
  std::set<std::filesystem::path> paths;
};

Folders& folders() {
  static auto* all = new Folders;  // the waiting thread outlives static objects
  return *all;
}

// What is still being written into it may come while its files are removed.
void remove_for_good(const std::filesystem::path& folder) {
  constexpr int kTries = 200;
  constexpr std::chrono::milliseconds kBetween{5};
  std::error_code ignored;
  for (int i = 0; i < kTries; ++i) {
    std::filesystem::remove_all(folder, ignored);
    if (!std::filesystem::exists(folder, ignored)) return;
    std::this_thread::sleep_for(kBetween);
  }
}

[[noreturn]] void wait_and_end(const sigset_t& set) {
  int number = 0;
  sigwait(&set, &number);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  stop_writing();
  folders().mutex.lock();  // and no other folder is made
  for (const auto& path : folders().paths) remove_for_good(path);
  clear_progress();
  std::fprintf(stderr, "planish: %s\n", number == SIGINT ? "interrupted" : "ended by a signal");
  _exit(128 + number);
}

}  // namespace

void end_on_signals() {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([set] { wait_and_end(set); }).detach();
}

void restore_signals() {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

TemporaryFolder::TemporaryFolder() {
  const char* place = std::getenv("TMPDIR");
  std::string pattern = std::string(place != nullptr ? place : "/tmp") + "/planish-XXXXXX";
  const std::lock_guard lock(folders().mutex);
  if (mkdtemp(pattern.data()) == nullptr)
    fail(Code::io, "{}: cannot create this temporary folder; TMPDIR names another place", pattern);
  path_ = pattern;
  folders().paths.insert(path_);
}

TemporaryFolder::~TemporaryFolder() {
  const std::lock_guard lock(folders().mutex);
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  folders().paths.erase(path_);
}

}  // namespace planish::cli
