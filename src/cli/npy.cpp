#include "cli/npy.h"

#include <charconv>
#include <cstring>
#include <optional>

#include "base/checked.h"
#include "base/error.h"
#include "base/file.h"

namespace planish::cli {
namespace {

struct DtypeCode {
  DataType dtype;
  std::string_view code;  // NumPy's kind and size
};
constexpr DtypeCode kDtypes[] = {{DataType::f32, "f4"}, {DataType::f64, "f8"}, {DataType::f16, "f2"},
                                 {DataType::i8, "i1"},  {DataType::u8, "u1"},  {DataType::i16, "i2"},
                                 {DataType::u16, "u2"}, {DataType::i32, "i4"}, {DataType::u32, "u4"},
                                 {DataType::i64, "i8"}, {DataType::u64, "u8"}, {DataType::boolean, "b1"}};

// "<f4", "|u1", "=i8": the byte order is of no meaning to a single byte.
DataType dtype_of_descr(std::string_view descr) {
  const bool has_order = !descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos;
  const std::string_view code = descr.substr(has_order ? 1 : 0);
  const bool big_endian = has_order && descr[0] == '>' && !code.ends_with('1');
  for (const DtypeCode& known : kDtypes)
    if (known.code == code && !big_endian) return known.dtype;
  fail(Code::unsupported, "dtype '{}'; little-endian numbers and bool are accepted", descr.substr(0, 40));
}

// Of types that NumPy lacks the codes are written, as unsigned numbers of as many bytes.
std::string descr_of(DataType dtype) {
  if (is_narrow(dtype)) return "|u1";
  if (dtype == DataType::bf16) return "<u2";
  for (const DtypeCode& known : kDtypes)
    if (known.dtype == dtype) return (known.code.ends_with('1') ? "|" : "<") + std::string(known.code);
  fail(Code::unsupported, "a tensor of {} cannot be written as .npy", data_type_name(dtype));
}

// The header is a Python dict literal of three keys: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
class HeaderText {
 public:
  explicit HeaderText(std::string_view text) : text_(text) {}

  bool at_end() { return rest().empty(); }
  bool accept(std::string_view literal) {
    if (!rest().starts_with(literal)) return false;
    at_ += literal.size();
    return true;
  }
  void expect(std::string_view literal) {
    if (!accept(literal)) fail_here(fmt::format("'{}'", literal));
  }
  std::string_view quoted() {
    const std::string_view quote = accept("'") ? "'" : "\"";
    if (quote == "\"") expect(quote);
    const size_t begin = at_, end = text_.find(quote[0], begin);
    if (end == std::string_view::npos) fail_here("a closing quote");
    at_ = end + 1;
    return text_.substr(begin, end - begin);
  }
  int64_t extent() {
    const std::string_view digits = rest();
    int64_t value = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || value < 0) fail_here("an extent of 0 or more");
    at_ += static_cast<size_t>(stop - digits.data());
    accept("L");  // Python 2
    return value;
  }
  [[noreturn]] void fail_here(const std::string& wanted) {
    const std::string_view found = rest().substr(0, 24);
    fail(Code::io, "malformed .npy header: {} expected at '{}'", wanted, found.substr(0, found.find('\n')));
  }

 private:
  std::string_view rest() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    return text_.substr(at_);
  }
  std::string_view text_;
  size_t at_ = 0;
};

struct Header {
  std::optional<DataType> dtype;
  std::optional<bool> fortran;
  std::optional<std::vector<int64_t>> extents;
  size_t data_offset = 0;
};

// "()", "(2,)", "(2, 3)".
std::vector<int64_t> parse_shape(HeaderText& text) {
  std::vector<int64_t> extents;
  text.expect("(");
  while (!text.accept(")")) {
    extents.push_back(text.extent());
    const bool more = text.accept(",");
    if (!more && extents.size() == 1) text.fail_here("','");
    if (more) continue;
    text.expect(")");
    break;
  }
  if (extents.size() > kMaxRank)
    fail(Code::unsupported, "an array of {} axes; up to {} are accepted", extents.size(), kMaxRank);
  return extents;
}

void parse_entry(HeaderText& text, Header& header) {
  const std::string_view key = text.quoted();
  text.expect(":");
  if (key == "descr" && !header.dtype) {
    if (text.accept("[")) fail(Code::unsupported, "an array of records; numbers and bool are accepted");
    header.dtype = dtype_of_descr(text.quoted());
  } else if (key == "fortran_order" && !header.fortran) {
    header.fortran = text.accept("True");
    if (!*header.fortran) text.expect("False");
  } else if (key == "shape" && !header.extents) {
    header.extents = parse_shape(text);
  } else {
    fail(Code::io, "malformed .npy header: descr, fortran_order and shape once each, found '{}'", key.substr(0, 24));
  }
}

Header parse_dictionary(std::string_view literal) {
  HeaderText text(literal);
  Header header;
  text.expect("{");
  while (!text.accept("}")) {
    parse_entry(text, header);
    if (text.accept(",")) continue;
    text.expect("}");
    break;
  }
  if (!text.at_end()) text.fail_here("its end");
  if (!header.dtype || !header.fortran || !header.extents)
    fail(Code::io, "malformed .npy header: no '{}'",
         !header.dtype     ? "descr"
         : !header.fortran ? "fortran_order"
                           : "shape");
  return header;
}

Header parse_header(std::span<const std::byte> bytes) {
  static constexpr char kMagic[] = "\x93NUMPY";
  if (bytes.size() < 10 || std::memcmp(bytes.data(), kMagic, 6) != 0) fail(Code::io, "not a .npy file");
  const int major = static_cast<int>(bytes[6]), minor = static_cast<int>(bytes[7]);
  if (major < 1 || major > 3 || minor != 0)
    fail(Code::unsupported, ".npy format version {}.{}; 1.0, 2.0 and 3.0 are accepted", major, minor);
  uint32_t length = 0;
  const size_t width = major == 1 ? 2 : 4, start = 8 + width;
  if (bytes.size() >= start) std::memcpy(&length, bytes.data() + 8, width);
  if (bytes.size() < start || length > bytes.size() - start)
    fail(Code::io, "a .npy header of {} bytes announced, the file has {} bytes", length, bytes.size());
  Header header = parse_dictionary({reinterpret_cast<const char*>(bytes.data()) + start, length});
  header.data_offset = start + length;
  return header;
}

// Fortran order is row-major order of the reversed extents, transposed.
Tensor from_fortran(const Header& header, const std::byte* data) {
  std::vector<int64_t> reversed(header.extents->rbegin(), header.extents->rend());
  TensorView source = make_view(const_cast<std::byte*>(data), *header.dtype, reversed);
  std::reverse(source.dims.begin(), source.dims.begin() + source.rank);
  std::reverse(source.strides.begin(), source.strides.begin() + source.rank);
  return Tensor::copy_of(source);
}

}  // namespace

Tensor parse_npy(std::span<const std::byte> bytes) {
  const Header header = parse_header(bytes);
  const int64_t needed = checked_mul(checked_product(*header.extents), element_bytes(*header.dtype));
  const auto available = static_cast<int64_t>(bytes.size() - header.data_offset);
  if (needed != available) fail(Code::io, ".npy data of {} bytes announced, {} found", needed, available);
  const std::byte* data = bytes.data() + header.data_offset;
  const auto copy = [&](std::byte* out) { std::copy_n(data, needed, out); };
  if (!*header.fortran || header.extents->size() < 2) return Tensor::make(*header.dtype, *header.extents, copy);
  // The elements of a file stand at any address; views want theirs aligned.
  const Tensor aligned = Tensor::make(*header.dtype, *header.extents, copy);
  return from_fortran(header, aligned.data());
}

Tensor read_npy(const std::string& path) {
  const FileMap file = FileMap::open(path);
  return with_context([&] { return path; }, [&] { return parse_npy(file.bytes()); });
}

void write_npy(const std::string& path, const Tensor& tensor) {
  std::string shape;
  for (int64_t extent : tensor.extents()) shape += fmt::format("{}, ", extent);
  const std::string descr = with_context([&] { return path; }, [&] { return descr_of(tensor.dtype()); });
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, shape);
  // Data starts at a multiple of 64 bytes.
  text.append(static_cast<size_t>(align_up(static_cast<int64_t>(text.size()) + 11, 64)) - text.size() - 11, ' ');
  text += '\n';
  std::string head("\x93NUMPY\x01\x00", 8);
  const auto length = static_cast<uint16_t>(text.size());
  head.append(reinterpret_cast<const char*>(&length), 2);
  head += text;
  const std::span<const std::byte> parts[] = {std::as_bytes(std::span(head)), tensor.bytes()};
  write_file_atomic(path, parts);
}

}  // namespace planish::cli
