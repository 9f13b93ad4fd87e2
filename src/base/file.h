#pragma once
// Files: read-only maps, and files that appear whole or not at all.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace planish {

// A read-only memory map of a regular file. Shared: the map lives as long as any copy.
class FileMap {
 public:
  // Throws Error(not_found | io) that names the path and what the system said.
  static FileMap open(const std::string& path);

  std::span<const std::byte> bytes() const;
  const std::string& path() const;
  // Keeps the map alive; pointers into bytes() are valid while it is held.
  std::shared_ptr<const void> owner() const { return state_; }

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

std::string read_file(const std::string& path);

// Writes to a temporary file beside `path`, fsyncs, renames over it, fsyncs the folder. On any failure
// (full disk, no permission) throws Error(io); the old file is untouched and the temporary is gone. A link stays, what
// it points to is replaced. A device or pipe that `path` names is written to as it is.
void write_file_atomic(const std::string& path, std::span<const std::span<const std::byte>> parts);
void write_file_atomic(const std::string& path, std::string_view content);

// Waits until no such file is being written; none is begun afterwards. For a process that ends.
void stop_writing();

// Throws what write_file_atomic() would, as far as that is known before it writes.
void check_writable(const std::string& path);

}  // namespace planish
