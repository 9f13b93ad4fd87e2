#include "conformance/workers.h"

#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <deque>
#include <list>
#include <numeric>
#include <stdexcept>

namespace planish::conformance {
namespace {

using Clock = std::chrono::steady_clock;
using Batch = std::vector<size_t>;

void write_whole(int fd, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(fd, text.data() + at, text.size() - at);
    if (n <= 0) ::_exit(1);
    at += static_cast<size_t>(n);
  }
}

// A child that runs a batch in order and writes a line a case.
class Worker {
 public:
  Worker(Batch batch, const std::function<Outcome(size_t)>& run) : batch_(std::move(batch)), heard_(Clock::now()) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe for a worker");
    std::fflush(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("no process for a worker");
    if (pid_ == 0) {
      ::close(ends[0]);
      for (size_t index : batch_) write_whole(ends[1], to_line(index, run(index)) + "\n");
      ::_exit(0);
    }
    ::close(ends[1]);
    fd_ = ends[0];
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() { ::close(fd_); }

  int fd() const { return fd_; }
  double silent_seconds() const { return std::chrono::duration<double>(Clock::now() - heard_).count(); }

  // Takes what has arrived; false at the end.
  bool read(std::vector<Outcome>& outcomes) {
    char buffer[4096];
    const ssize_t n = ::read(fd_, buffer, sizeof buffer);
    if (n <= 0) return false;
    text_.append(buffer, static_cast<size_t>(n));
    for (size_t end; (end = text_.find('\n')) != std::string::npos; text_.erase(0, end + 1)) {
      Outcome outcome;
      const size_t index = from_line(text_.substr(0, end), outcome);
      outcomes.at(index) = outcome;
      ++done_;
      heard_ = Clock::now();
    }
    return true;
  }

  void kill() const { ::kill(pid_, SIGKILL); }
  // Of a child that has ended; its signal, or 0.
  int reap() const {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }
  Batch unreported() const { return {batch_.begin() + static_cast<std::ptrdiff_t>(done_), batch_.end()}; }
  bool alone() const { return batch_.size() == 1; }

 private:
  Batch batch_;
  Clock::time_point heard_;
  pid_t pid_ = -1;
  int fd_ = -1;
  std::string text_;
  size_t done_ = 0;
};

class Crew {
 public:
  Crew(size_t count, const std::function<Outcome(size_t)>& run, const WorkOptions& options)
      : run_(run), options_(options), outcomes_(count) {
    for (size_t at = 0; at < count; at += options.batch) {
      Batch batch(std::min(options.batch, count - at));
      std::iota(batch.begin(), batch.end(), at);
      waiting_.push_back(std::move(batch));
    }
  }

  std::vector<Outcome> work() {
    while (!waiting_.empty() || !workers_.empty()) {
      while (!waiting_.empty() && workers_.size() < static_cast<size_t>(options_.jobs)) {
        workers_.emplace_back(waiting_.front(), run_);
        waiting_.pop_front();
      }
      listen();
      end_the_silent();
    }
    return std::move(outcomes_);
  }

 private:
  using Iterator = std::list<Worker>::iterator;

  void listen() {
    std::vector<pollfd> ears;
    for (const Worker& worker : workers_) ears.push_back({worker.fd(), POLLIN, 0});
    ::poll(ears.data(), ears.size(), 200);
    auto ear = ears.begin();
    for (Iterator at = workers_.begin(); at != workers_.end(); ++ear) {
      const Iterator worker = at++;
      if (ear->revents != 0 && !worker->read(outcomes_)) finish(worker, Verdict::crash);
    }
  }

  void end_the_silent() {
    for (Iterator at = workers_.begin(); at != workers_.end();) {
      const Iterator worker = at++;
      if (worker->silent_seconds() < options_.case_seconds) continue;
      worker->kill();
      finish(worker, Verdict::hang);
    }
  }

  void finish(Iterator worker, Verdict verdict) {
    const int signal = worker->reap();
    const Batch rest = worker->unreported();
    if (worker->alone() && !rest.empty())
      outcomes_[rest[0]] = {verdict, verdict == Verdict::hang ? fmt::format("no end after {} s", options_.case_seconds)
                                     : signal != 0 ? fmt::format("dies by signal {} ({})", signal, strsignal(signal))
                                                   : "leaves the process"};
    else
      for (size_t index : rest) waiting_.push_back({index});
    workers_.erase(worker);
  }

  const std::function<Outcome(size_t)>& run_;
  WorkOptions options_;
  std::deque<Batch> waiting_;
  std::list<Worker> workers_;
  std::vector<Outcome> outcomes_;
};

}  // namespace

std::vector<Outcome> run_all(size_t count, const std::function<Outcome(size_t)>& run, const WorkOptions& options) {
  return Crew(count, run, options).work();
}

}  // namespace planish::conformance
