#include "cli/npy.h"

#include <zlib.h>

#include <cstring>
#include <regex>

#include "base/checked.h"
#include "base/error.h"
#include "base/file.h"

namespace planish::cli {
namespace {

constexpr int64_t kLargestMember = int64_t{1} << 34;

DataType dtype_of_descr(const std::string& descr) {
  static const std::map<std::string, DataType> kTypes = {
      {"<f4", DataType::f32}, {"<f8", DataType::f64}, {"<f2", DataType::f16}, {"|i1", DataType::i8},
      {"|u1", DataType::u8},  {"<i2", DataType::i16}, {"<u2", DataType::u16}, {"<i4", DataType::i32},
      {"<u4", DataType::u32}, {"<i8", DataType::i64}, {"<u8", DataType::u64}, {"|b1", DataType::boolean}};
  auto at = kTypes.find(descr);
  if (at == kTypes.end()) fail(Code::unsupported, "dtype '{}'; little-endian numbers and bool are accepted", descr);
  return at->second;
}

std::string descr_of(DataType dtype) {
  switch (dtype) {
    case DataType::f32:
      return "<f4";
    case DataType::f64:
      return "<f8";
    case DataType::f16:
      return "<f2";
    case DataType::i8:
      return "|i1";
    case DataType::u8:
      return "|u1";
    case DataType::i16:
      return "<i2";
    case DataType::u16:
      return "<u2";
    case DataType::i32:
      return "<i4";
    case DataType::u32:
      return "<u4";
    case DataType::i64:
      return "<i8";
    case DataType::u64:
      return "<u8";
    case DataType::boolean:
      return "|b1";
    default:
      fail(Code::unsupported, "a tensor of {} cannot be written as .npy", data_type_name(dtype));
  }
}

struct Header {
  DataType dtype;
  bool fortran = false;
  std::vector<int64_t> extents;
  size_t data_offset = 0;
};

std::string capture(const std::string& text, const char* pattern) {
  std::smatch found;
  if (!std::regex_search(text, found, std::regex(pattern))) fail(Code::io, "malformed .npy header: {}", text);
  return found[1];
}

std::vector<int64_t> parse_extents(const std::string& text) {
  std::vector<int64_t> extents;
  static const std::regex kNumber("[0-9]{1,18}");
  for (std::sregex_iterator at(text.begin(), text.end(), kNumber), end; at != end; ++at)
    extents.push_back(std::stoll(at->str()));
  return extents;
}

Header parse_header(std::span<const std::byte> bytes) {
  static constexpr char kMagic[] = "\x93NUMPY";
  if (bytes.size() < 12 || std::memcmp(bytes.data(), kMagic, 6) != 0) fail(Code::io, "not a .npy file");
  const int major = static_cast<int>(bytes[6]);
  uint32_t length = 0;
  const size_t width = major == 1 ? 2 : 4;
  std::memcpy(&length, bytes.data() + 8, width);
  const size_t start = 8 + width;
  if (length > bytes.size() - start) fail(Code::io, "the .npy header ends after {} bytes", bytes.size());
  const std::string text(reinterpret_cast<const char*>(bytes.data()) + start, length);
  Header header;
  header.dtype = dtype_of_descr(capture(text, "'descr': *'([^']*)'"));
  header.fortran = capture(text, "'fortran_order': *(True|False)") == "True";
  header.extents = parse_extents(capture(text, "'shape': *\\(([^)]*)\\)"));
  header.data_offset = start + length;
  return header;
}

// Fortran order is row-major order of the reversed extents, transposed.
Tensor from_fortran(const Header& header, const std::byte* data) {
  std::vector<int64_t> reversed(header.extents.rbegin(), header.extents.rend());
  TensorView source = make_view(const_cast<std::byte*>(data), header.dtype, reversed);
  std::reverse(source.dims.begin(), source.dims.begin() + source.rank);
  std::reverse(source.strides.begin(), source.strides.begin() + source.rank);
  return Tensor::copy_of(source);
}

Tensor parse_npy(std::span<const std::byte> bytes) {
  const Header header = parse_header(bytes);
  const int64_t needed = checked_mul(checked_product(header.extents), element_bytes(header.dtype));
  const auto available = static_cast<int64_t>(bytes.size() - header.data_offset);
  if (needed > available) fail(Code::io, ".npy data of {} bytes announced, {} found", needed, available);
  const std::byte* data = bytes.data() + header.data_offset;
  if (header.fortran && header.extents.size() > 1) return from_fortran(header, data);
  return Tensor::make(header.dtype, header.extents, [&](std::byte* out) { std::copy_n(data, needed, out); });
}

template <class T>
T read_le(std::span<const std::byte> bytes, size_t offset) {
  if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) fail(Code::io, "truncated .npz archive");
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

std::vector<std::byte> inflate_member(std::span<const std::byte> packed, uint64_t size) {
  if (static_cast<int64_t>(size) > kLargestMember) fail(Code::io, "an .npz member of {} bytes", size);
  std::vector<std::byte> out(size);
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(size);
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail(Code::io, "zlib refused to start");
  const int result = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (result != Z_STREAM_END || stream.avail_out != 0) fail(Code::io, "damaged deflate data in .npz archive");
  return out;
}

// Sizes of a central directory entry, from the ZIP64 extra field where the 32-bit ones are full.
struct Member {
  std::string name;
  uint16_t method = 0;
  uint64_t packed = 0, size = 0, offset = 0;
};

void apply_zip64(std::span<const std::byte> extra, Member& member) {
  for (size_t at = 0; at + 4 <= extra.size();) {
    const auto id = read_le<uint16_t>(extra, at), length = read_le<uint16_t>(extra, at + 2);
    size_t field = at + 4;
    if (id == 1) {
      for (uint64_t* value : {&member.size, &member.packed, &member.offset}) {
        if (*value != 0xFFFFFFFFu) continue;
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
  member.method = read_le<uint16_t>(zip, at + 10);
  member.packed = read_le<uint32_t>(zip, at + 20);
  member.size = read_le<uint32_t>(zip, at + 24);
  const size_t name_length = read_le<uint16_t>(zip, at + 28), extra = read_le<uint16_t>(zip, at + 30);
  const size_t comment = read_le<uint16_t>(zip, at + 32);
  member.offset = read_le<uint32_t>(zip, at + 42);
  next = at + 46 + name_length + extra + comment;
  if (next > zip.size()) fail(Code::io, "truncated .npz directory");
  member.name.assign(reinterpret_cast<const char*>(zip.data()) + at + 46, name_length);
  apply_zip64(zip.subspan(at + 46 + name_length, extra), member);
  return member;
}

Tensor extract(std::span<const std::byte> zip, const Member& member) {
  const size_t header = member.offset;
  const size_t start = header + 30 + read_le<uint16_t>(zip, header + 26) + read_le<uint16_t>(zip, header + 28);
  if (start > zip.size() || member.packed > zip.size() - start) fail(Code::io, "truncated .npz member");
  const auto packed = zip.subspan(start, member.packed);
  if (member.method == 0) return parse_npy(packed);
  if (member.method != 8) fail(Code::unsupported, ".npz compression method {}; 0 and 8 are accepted", member.method);
  return parse_npy(inflate_member(packed, member.size));
}

size_t find_directory_end(std::span<const std::byte> zip) {
  if (zip.size() < 22) fail(Code::io, "not an .npz archive");
  const size_t lowest = zip.size() > 65557 ? zip.size() - 65557 : 0;
  for (size_t at = zip.size() - 22;; --at) {
    if (read_le<uint32_t>(zip, at) == 0x06054b50) return at;
    if (at == lowest) fail(Code::io, "not an .npz archive");
  }
}

}  // namespace

Tensor read_npy(const std::string& path) {
  const FileMap file = FileMap::open(path);
  return with_context([&] { return path; }, [&] { return parse_npy(file.bytes()); });
}

std::map<std::string, Tensor> read_npz(const std::string& path) {
  const FileMap file = FileMap::open(path);
  return with_context([&] { return path; },
                      [&] {
                        const auto zip = file.bytes();
                        const size_t end = find_directory_end(zip);
                        const int count = read_le<uint16_t>(zip, end + 10);
                        std::map<std::string, Tensor> tensors;
                        size_t at = read_le<uint32_t>(zip, end + 16);
                        for (int i = 0; i < count; ++i) {
                          const Member member = read_member(zip, at, at);
                          std::string name = member.name;
                          if (name.ends_with(".npy")) name.resize(name.size() - 4);
                          tensors[name] = extract(zip, member);
                        }
                        return tensors;
                      });
}

void write_npy(const std::string& path, const Tensor& tensor) {
  std::string shape;
  for (int64_t extent : tensor.extents()) shape += fmt::format("{}, ", extent);
  std::string text =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr_of(tensor.dtype()), shape);
  // Data starts at a multiple of 64 bytes.
  text.append(static_cast<size_t>(align_up(static_cast<int64_t>(text.size()) + 11, 64)) - text.size() - 11, ' ');
  text += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  const auto length = static_cast<uint16_t>(text.size());
  file.append(reinterpret_cast<const char*>(&length), 2);
  file += text;
  file.append(reinterpret_cast<const char*>(tensor.data()), static_cast<size_t>(tensor.byte_count()));
  write_file_atomic(path, file);
}

}  // namespace planish::cli
