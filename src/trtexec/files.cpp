#include "trtexec/files.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "trtexec/logger.h"

namespace planish::trtexec {

std::string read_file(const std::string& path, bool may_be_missing) {
  std::error_code ignored;
  if (may_be_missing && !std::filesystem::exists(path, ignored)) return "";
  if (std::filesystem::is_directory(path, ignored)) fail("{}: it is a folder", path);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("{}: cannot open: {}", path, std::strerror(errno));
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  if (file.bad()) fail("{}: cannot read: {}", path, std::strerror(errno));
  return bytes;
}

void write_file(const std::string& path, const std::string& bytes) {
  std::error_code status;
  const bool regular = !std::filesystem::exists(path, status) || std::filesystem::is_regular_file(path, status);
  const bool link = std::filesystem::is_symlink(path, status);
  const std::string place = regular && !link ? path + ".tmp" + std::to_string(getpid()) : path;
  errno = 0;
  std::ofstream file(place, std::ios::binary | std::ios::trunc);
  if (!file) fail("{}: cannot write: {}", path, std::strerror(errno));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  bool done = !file.fail();
  if (done && place != path) done = std::rename(place.c_str(), path.c_str()) == 0;
  if (done) return;
  const int cause = errno;
  if (place != path) std::remove(place.c_str());
  fail("{}: cannot write: {}", path, std::strerror(cause));
}

void keep_apart(const FlagFiles& read, const FlagFiles& written) {
  namespace fs = std::filesystem;
  const auto is_same = [](const std::string& a, const std::string& b) {
    std::error_code error;
    if (fs::exists(a, error) && !fs::is_regular_file(a, error)) return false;  // pipes and devices take both
    return fs::equivalent(a, b, error) || fs::weakly_canonical(a, error) == fs::weakly_canonical(b, error);
  };
  FlagFiles known = read;
  for (const auto& [flag, path] : written) {
    if (path.empty()) continue;
    for (const auto& [other, taken] : known)
      if (!taken.empty() && is_same(taken, path)) fail("{}={}: {} names the same file", flag, path, other);
    known.emplace_back(flag, path);
  }
}

}  // namespace planish::trtexec
