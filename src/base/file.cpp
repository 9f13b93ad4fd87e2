#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <shared_mutex>

#include "base/error.h"

namespace planish {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail_errno(const std::string& path, const char* doing, int error = errno) {
  fail(error == ENOENT ? Code::not_found : Code::io, "{}: {}: {}", path, doing, std::strerror(error));
}

void write_all(int fd, std::span<const std::byte> part, const std::string& path) {
  while (!part.empty()) {
    const ssize_t written = write(fd, part.data(), part.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_errno(path, "cannot write", written == 0 ? ENOSPC : errno);
    part = part.subspan(static_cast<size_t>(written));
  }
}

// A new file beside `path`, with the permissions that the process's mask leaves (mkstemp would give 0600, and
// reading the mask changes it for all threads). Its name is written to `temporary`.
int create_beside(const std::string& path, std::string& temporary) {
  static std::atomic<uint32_t> counter{0};
  for (int attempt = 0; attempt < 100; ++attempt) {
    temporary = fmt::format("{}.{}.{}.tmp", path, getpid(), counter.fetch_add(1));
    const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0) fsync(fd.get());  // some file systems refuse; the rename itself has happened
}

}  // namespace

struct FileMap::State {
  std::string path;
  void* address = nullptr;
  size_t size = 0;
  ~State() {
    if (size > 0) munmap(address, size);
  }
};

FileMap FileMap::open(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) fail_errno(path, "cannot open");
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) fail_errno(path, "cannot stat");
  if (!S_ISREG(info.st_mode)) fail(Code::io, "{}: not a regular file", path);
  auto state = std::make_shared<State>();
  state->path = path;
  if (info.st_size > 0) {
    const auto size = static_cast<size_t>(info.st_size);
    void* address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (address == MAP_FAILED) fail_errno(path, "cannot map");
    state->address = address;
    state->size = size;
  }
  FileMap map;
  map.state_ = std::move(state);
  return map;
}

std::span<const std::byte> FileMap::bytes() const {
  if (!state_) return {};
  return {static_cast<const std::byte*>(state_->address), state_->size};
}

const std::string& FileMap::path() const {
  static const std::string none;
  return state_ ? state_->path : none;
}

std::string read_file(const std::string& path) {
  const FileMap map = FileMap::open(path);
  const auto bytes = map.bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

namespace {

// Held by all who write, and in the end by who stops them.
std::shared_mutex writing;

// What is no regular file (/dev/stdout, /dev/full, a pipe) cannot be replaced by one.
bool is_special(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

void write_special(const std::string& path, std::span<const std::span<const std::byte>> parts) {
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd.get() < 0) fail_errno(path, "cannot open");
  for (const auto& part : parts) write_all(fd.get(), part, path);
}

// Where the file itself stands: a link such as /dev/stdout is not replaced.
std::string behind_links(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_symlink(path, error)) return path;
  const auto target = std::filesystem::canonical(path, error);
  if (!error) return target.string();
  const auto link = std::filesystem::read_symlink(path, error);  // to what is not there yet
  return error ? path : (std::filesystem::path(path).parent_path() / link).string();
}

}  // namespace

void write_file_atomic(const std::string& path, std::span<const std::span<const std::byte>> parts) {
  if (is_special(path)) return write_special(path, parts);
  const std::filesystem::path target(behind_links(path));
  const std::shared_lock begun(writing);
  std::string temporary;
  const Descriptor fd(create_beside(target, temporary));
  if (fd.get() < 0) fail_errno(path, "cannot create a file beside it");
  try {
    for (const auto& part : parts) write_all(fd.get(), part, path);
    if (fsync(fd.get()) != 0) fail_errno(path, "cannot sync");
    if (rename(temporary.c_str(), target.c_str()) != 0) fail_errno(path, "cannot rename over it");
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
  sync_folder(target.has_parent_path() ? target.parent_path() : std::filesystem::path("."));
}

void stop_writing() { writing.lock(); }

void check_writable(const std::string& path) {
  if (is_special(path)) return;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) fail_errno(path, "cannot rename over it", EISDIR);
  const std::shared_lock begun(writing);
  std::string temporary;
  const Descriptor fd(create_beside(behind_links(path), temporary));
  if (fd.get() < 0) fail_errno(path, "cannot create a file beside it");
  unlink(temporary.c_str());
}

void write_file_atomic(const std::string& path, std::string_view content) {
  const std::span<const std::byte> part(reinterpret_cast<const std::byte*>(content.data()), content.size());
  write_file_atomic(path, {&part, 1});
}

}  // namespace planish
