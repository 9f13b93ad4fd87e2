#include "device/cuda/image_cache.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

namespace planish::cuda {
namespace {

namespace fs = std::filesystem;

constexpr const char *kEnding = ".cubin", *kTimings = "timings-", *kTimingsEnding = ".txt";
constexpr size_t kChecksum = 32;  // hexadecimal digits in front of the image
constexpr int64_t kMegabytes = 1024, kMostMegabytes = int64_t{1} << 30;
constexpr int kWritesBetween = 64;  // looks at the folder's size

void warn_once(const std::string& text) {
  static std::mutex mutex;
  static std::set<std::string> said;
  const std::lock_guard lock(mutex);
  if (said.insert(text).second) log_text(Severity::warning, text);
}

fs::path wanted_folder() {
  if (const char* named = std::getenv("PLANISH_CACHE")) return named;
  if (const char* caches = std::getenv("XDG_CACHE_HOME"); caches != nullptr && *caches != 0)
    return fs::path(caches) / "planish";
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == 0 ? fs::path() : fs::path(home) / ".cache" / "planish";
}

int64_t most_bytes() {
  const char* given = std::getenv("PLANISH_CACHE_MB");
  int64_t megabytes = kMegabytes;
  if (given == nullptr || *given == 0) return megabytes << 20;
  const char* const end = given + std::strlen(given);
  const auto [stop, error] = std::from_chars(given, end, megabytes);
  if (error == std::errc() && stop == end && megabytes >= 0 && megabytes <= kMostMegabytes) return megabytes << 20;
  warn_once(fmt::format("PLANISH_CACHE_MB={}: 0 to {} are accepted; {} is taken", given, kMostMegabytes, kMegabytes));
  return kMegabytes << 20;
}

fs::path path_of(const std::string& folder, const Hash128& key) { return fs::path(folder) / (key.hex() + kEnding); }

bool is_ours(const fs::path& path) {
  return path.extension() == kEnding ||
         (path.extension() == kTimingsEnding && path.filename().string().starts_with(kTimings));
}

struct Entry {
  fs::path path;
  fs::file_time_type used;
  int64_t bytes;
};

// Other processes do the same at the same time: what is gone is gone.
void trim(const std::string& folder) {
  std::vector<Entry> entries;
  int64_t bytes = 0;
  std::error_code ignored;
  for (const auto& file : fs::directory_iterator(folder, ignored)) {
    if (!is_ours(file.path())) continue;
    const auto size = static_cast<int64_t>(file.file_size(ignored));
    entries.push_back({file.path(), file.last_write_time(ignored), std::max<int64_t>(size, 0)});
    bytes += entries.back().bytes;
  }
  if (bytes <= most_bytes()) return;
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; });
  for (const Entry& entry : entries) {
    if (bytes <= most_bytes() / 5 * 4) return;
    fs::remove(entry.path, ignored);
    bytes -= entry.bytes;
  }
}

}  // namespace

std::string timings_file(const std::string& folder, uint64_t hash) {
  return (fs::path(folder) / fmt::format("{}{:016x}{}", kTimings, hash, kTimingsEnding)).string();
}

void mark_used(const std::string& file) noexcept {
  std::error_code ignored;
  fs::last_write_time(file, fs::file_time_type::clock::now(), ignored);
}

std::string cache_folder() {
  const fs::path folder = wanted_folder();
  std::error_code error;
  if (folder.empty()) return "";
  fs::create_directories(folder, error);
  if (std::error_code missing; fs::is_directory(folder, missing)) return folder.string();
  if (std::getenv("PLANISH_CACHE") != nullptr)
    warn_once(fmt::format("PLANISH_CACHE={}: no folder ({}); images and timings are not kept", folder.string(),
                          error ? error.message() : "a file has this name"));
  return "";
}

std::optional<std::string> cached_image(const Hash128& key) {
  const std::string folder = cache_folder();
  if (folder.empty()) return std::nullopt;
  const fs::path path = path_of(folder, key);
  try {
    const std::string file = read_file(path.string());
    std::string image = file.substr(std::min(kChecksum, file.size()));
    if (image.empty() || hash128(image.data(), image.size()).hex() != file.substr(0, kChecksum)) return std::nullopt;
    mark_used(path.string());
    return image;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void cache_image(const Hash128& key, const std::string& image) noexcept {
  static std::atomic<int> writes{0};
  try {
    const std::string folder = cache_folder();
    if (folder.empty()) return;
    write_file_atomic(path_of(folder, key).string(), hash128(image.data(), image.size()).hex() + image);
    if (writes++ % kWritesBetween == 0) trim(folder);
  } catch (const std::exception& error) {
    if (log_enabled(Severity::verbose)) log_text(Severity::verbose, error.what());
  }
}

}  // namespace planish::cuda
