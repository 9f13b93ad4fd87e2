#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "importers/onnx/wire/model.h"

namespace planish::onnx::wire {
namespace {

// Opens component by component without following links, so that nothing can swap a folder for a link in between.
int open_beneath(const std::string& folder, const std::string& location) {
  int at = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (size_t begin = 0; at >= 0 && begin < location.size();) {
    const size_t end = std::min(location.find('/', begin), location.size());
    const std::string part = location.substr(begin, end - begin);
    const bool last = end == location.size();
    const int next =
        part.empty() || part == "." || part == ".."
            ? (errno = EPERM, -1)
            : openat(at, part.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (last ? 0 : O_DIRECTORY));
    const int error = errno;
    close(at);
    errno = error;
    at = next;
    begin = end + 1;
  }
  return at;
}

}  // namespace

Tensor external_tensor(const std::string& folder, const std::string& location, int64_t offset, int64_t length,
                       DataType dtype, std::vector<int64_t> extents) {
  if (location.empty() || location[0] == '/')
    fail(Code::invalid_model, "external data '{}'; a path inside the model's folder is accepted", location);
  const int fd = open_beneath(folder, location);
  if (fd < 0)
    fail(Code::invalid_model, "external data '{}' cannot be opened inside the model's folder: {}", location,
         errno == ELOOP ? "a symbolic link is on its way" : std::strerror(errno));
  struct stat info {};
  const bool good = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1;
  if (!good || offset < 0 || length < 0 || offset > info.st_size || length > info.st_size - offset) {
    close(fd);
    if (!good) fail(Code::invalid_model, "external data '{}' is not a regular file with a single name", location);
    fail(Code::invalid_model, "external data '{}' has {} bytes, [{}, {}+{}) asked for", location, info.st_size, offset,
         offset, length);
  }
  const auto size = static_cast<size_t>(info.st_size);
  void* address = size > 0 ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0) : nullptr;
  close(fd);
  if (address == MAP_FAILED) fail(Code::io, "external data '{}' cannot be mapped", location);
  std::shared_ptr<const void> owner(address, [size](const void* p) { munmap(const_cast<void*>(p), size); });
  return Tensor::wrap(dtype, std::move(extents), static_cast<const std::byte*>(address) + offset, owner);
}

}  // namespace planish::onnx::wire
