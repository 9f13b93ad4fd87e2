#pragma once
// Ctrl-C (and SIGTERM, SIGHUP): the command ends at once with status 128 + the signal's number, and what it was writing
// is whole or not there. A second one does not wait for that.

#include <filesystem>

namespace planish::cli {

// Called once, before there are other threads: they are not to take the signals.
void end_on_signals();

// In a process between fork and exec: signals are as they were before end_on_signals().
void restore_signals();

// A fresh folder that goes with this object, or when a signal ends the command.
class TemporaryFolder {
 public:
  TemporaryFolder();  // Error(io) that names TMPDIR
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace planish::cli
