#include "cli/files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/file.h"

namespace planish::cli {
namespace {

namespace fs = std::filesystem;

// Devices and pipes can take what several flags write.
bool is_special(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status);
}

fs::path absolute(const fs::path& path) {
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(path, error);
  return error ? path : whole;
}

bool is_same(const std::string& a, const std::string& b) {
  std::error_code error;
  if (is_special(a) || is_special(b)) return false;
  return fs::equivalent(a, b, error) || absolute(a) == absolute(b);
}

}  // namespace

void Files::reads(const std::string& what, const std::string& path) {
  if (!path.empty()) entries_.push_back({what, path});
}

void Files::keeps(const std::string& what, const std::string& path) {
  if (path.empty()) return;
  for (const Entry& entry : entries_)
    if (is_same(entry.path, path))
      fail(Code::invalid_argument, "{} {}: {} {} is the same file; another one is accepted", what, path, entry.what,
           entry.path);
  entries_.push_back({what, path, true});
}

void Files::writes(const std::string& what, const std::string& path) {
  if (path.empty() || path == "-") return;
  keeps(what, path);
  check_writable(path);
}

void Files::check_mapped() const {
  std::ifstream maps("/proc/self/maps");  // ends each line with the path of what is mapped
  for (std::string line; std::getline(maps, line);) {
    const size_t slash = line.find('/');
    if (slash == std::string::npos) continue;
    for (const Entry& entry : entries_)
      if (entry.written && fs::path(line.substr(slash)) == absolute(entry.path))
        fail(Code::invalid_argument, "{} {}: the model's weights stand in this file; another one is accepted",
             entry.what, entry.path);
  }
}

}  // namespace planish::cli
