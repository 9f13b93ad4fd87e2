#include "cli/npz.h"

#include <zlib.h>

#include <cstring>
#include <memory>
#include <new>

#include "base/error.h"
#include "base/file.h"
#include "cli/npy.h"

namespace planish::cli {
namespace {

constexpr uint64_t kDeflateRatio = 1032;  // what deflate can at most make of a byte
constexpr uint32_t kFull = 0xFFFFFFFF;    // "see the ZIP64 field"

template <class T>
T read_le(std::span<const std::byte> bytes, size_t offset) {
  if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) fail(Code::io, "truncated .npz archive");
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

struct Member {
  std::string name;
  uint16_t flags = 0, method = 0;
  uint32_t crc = 0;
  uint64_t packed = 0, size = 0, offset = 0;
};

// zlib counts in 32 bits, so both sides are fed in pieces.
bool inflate_all(std::span<const std::byte> packed, std::span<std::byte> out) {
  constexpr size_t kPiece = size_t{1} << 30;
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  size_t unread = packed.size(), unwritten = out.size();
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail(Code::out_of_memory, "zlib refused to start");
  int result = Z_OK;
  for (bool fed = true; result == Z_OK && fed;) {
    const size_t in = std::min(kPiece, unread), room = std::min(kPiece, unwritten);
    stream.avail_in = static_cast<uInt>(in);
    stream.avail_out = static_cast<uInt>(room);
    result = inflate(&stream, Z_NO_FLUSH);
    fed = stream.avail_in < in || stream.avail_out < room;
    unread -= in - stream.avail_in;
    unwritten -= room - stream.avail_out;
  }
  inflateEnd(&stream);
  return result == Z_STREAM_END && unread == 0 && unwritten == 0;
}

void check_crc(const Member& member, std::span<const std::byte> content) {
  const auto found = static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()));
  if (found != member.crc) fail(Code::io, "checksum {:08x} announced, {:08x} found", member.crc, found);
}

Tensor inflate_member(const Member& member, std::span<const std::byte> packed) {
  if (member.size / kDeflateRatio > packed.size())
    fail(Code::io, "{} bytes announced, {} deflated ones cannot hold them", member.size, packed.size());
  // Pages are taken as they are written, so that a false size costs nothing.
  const std::unique_ptr<std::byte[]> memory(new (std::nothrow) std::byte[member.size]);
  if (!memory) fail(Code::out_of_memory, "no memory for {} bytes", member.size);
  const std::span<std::byte> content(memory.get(), member.size);
  if (!inflate_all(packed, content)) fail(Code::io, "damaged deflate data");
  check_crc(member, content);
  return parse_npy(content);
}

void apply_zip64(std::span<const std::byte> extra, Member& member) {
  for (size_t at = 0; at + 4 <= extra.size();) {
    const auto id = read_le<uint16_t>(extra, at), length = read_le<uint16_t>(extra, at + 2);
    size_t field = at + 4;
    if (id == 1) {
      for (uint64_t* value : {&member.size, &member.packed, &member.offset}) {
        if (*value != kFull) continue;
        *value = read_le<uint64_t>(extra, field);
        field += 8;
      }
    }
    at += 4 + length;
  }
}

Member read_member(std::span<const std::byte> zip, size_t at, size_t& next) {
  if (read_le<uint32_t>(zip, at) != 0x02014b50) fail(Code::io, "damaged .npz directory");
  Member member;
  member.flags = read_le<uint16_t>(zip, at + 8);
  member.method = read_le<uint16_t>(zip, at + 10);
  member.crc = read_le<uint32_t>(zip, at + 16);
  member.packed = read_le<uint32_t>(zip, at + 20);
  member.size = read_le<uint32_t>(zip, at + 24);
  const size_t name_length = read_le<uint16_t>(zip, at + 28), extra = read_le<uint16_t>(zip, at + 30);
  const size_t comment = read_le<uint16_t>(zip, at + 32);
  member.offset = read_le<uint32_t>(zip, at + 42);
  next = at + 46 + name_length + extra + comment;
  if (next > zip.size()) fail(Code::io, "truncated .npz directory");
  member.name.assign(reinterpret_cast<const char*>(zip.data()) + at + 46, name_length);
  apply_zip64(zip.subspan(at + 46 + name_length, extra), member);
  if (member.name.ends_with(".npy")) member.name.resize(member.name.size() - 4);
  return member;
}

Tensor extract(std::span<const std::byte> zip, const Member& member) {
  const size_t header = member.offset;
  if (read_le<uint32_t>(zip, header) != 0x04034b50) fail(Code::io, "its local header is damaged");
  const size_t start = header + 30 + read_le<uint16_t>(zip, header + 26) + read_le<uint16_t>(zip, header + 28);
  if (start > zip.size() || member.packed > zip.size() - start)
    fail(Code::io, "{} bytes announced, the archive ends before", member.packed);
  if ((member.flags & 1) != 0) fail(Code::unsupported, "it is encrypted");
  const auto packed = zip.subspan(start, member.packed);
  if (member.method == 8) return inflate_member(member, packed);
  if (member.method != 0)
    fail(Code::unsupported, "compression method {}; 0 (stored) and 8 (deflated) are accepted", member.method);
  check_crc(member, packed);
  return parse_npy(packed);
}

size_t find_directory_end(std::span<const std::byte> zip) {
  if (zip.size() < 22) fail(Code::io, "not an .npz archive");
  const size_t lowest = zip.size() > 65557 ? zip.size() - 65557 : 0;
  for (size_t at = zip.size() - 22;; --at) {
    if (read_le<uint32_t>(zip, at) == 0x06054b50) return at;
    if (at == lowest) fail(Code::io, "not an .npz archive");
  }
}

struct Directory {
  uint64_t count = 0, offset = 0;
};

Directory find_directory(std::span<const std::byte> zip) {
  const size_t end = find_directory_end(zip);
  Directory directory{read_le<uint16_t>(zip, end + 10), read_le<uint32_t>(zip, end + 16)};
  if (directory.offset != kFull && directory.count != 0xFFFF) return directory;
  if (end < 20 || read_le<uint32_t>(zip, end - 20) != 0x07064b50) return directory;
  const auto large = read_le<uint64_t>(zip, end - 12);
  if (read_le<uint32_t>(zip, large) != 0x06064b50) fail(Code::io, "damaged .npz directory");
  return {read_le<uint64_t>(zip, large + 32), read_le<uint64_t>(zip, large + 48)};
}

std::map<std::string, Tensor> read_members(std::span<const std::byte> zip) {
  const Directory directory = find_directory(zip);
  std::map<std::string, Tensor> tensors;
  size_t at = directory.offset;
  for (uint64_t i = 0; i < directory.count; ++i) {
    const Member member = read_member(zip, at, at);
    Tensor tensor =
        with_context([&] { return fmt::format("member '{}'", member.name); }, [&] { return extract(zip, member); });
    if (!tensors.emplace(member.name, std::move(tensor)).second)
      fail(Code::io, "two members are called '{}'", member.name);
  }
  if (tensors.empty()) fail(Code::io, "the archive has no members");
  return tensors;
}

}  // namespace

std::map<std::string, Tensor> read_npz(const std::string& path) {
  const FileMap file = FileMap::open(path);
  return with_context([&] { return path; }, [&] { return read_members(file.bytes()); });
}

}  // namespace planish::cli
