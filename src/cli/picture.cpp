#include "cli/picture.h"

#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>

#include <jpeglib.h>

#include <jerror.h>

#include "base/error.h"
#include "base/file.h"

namespace planish::cli {
namespace {

// What one byte of a file can at most stand for, in pixels: an empty progressive scan, a row of deflated zero bits.
constexpr int64_t kJpegRatio = 2048, kPngRatio = 8 * 1032;

using Bytes = std::span<const std::byte>;

// Memory is asked for after this: a few bytes can state any size.
void make_room(Picture& picture, int64_t height, int64_t width, int64_t most) {
  if (height > kLargestSide || width > kLargestSide || height * width > kLargestPicture)
    fail(Code::unsupported, "a picture of {}x{}; sides up to {} and up to {} pixels are accepted", height, width,
         kLargestSide, kLargestPicture);
  if (height * width > most)
    fail(Code::io, "a picture of {}x{} announced, the file is too short for it", height, width);
  picture.height = static_cast<int>(height);
  picture.width = static_cast<int>(width);
  picture.pixels.resize(static_cast<size_t>(height * width) * 3);
}

uint8_t* row_of(Picture& picture, int64_t y) {
  return picture.pixels.data() + static_cast<size_t>(y) * static_cast<size_t>(picture.width) * 3;
}

struct JpegError {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  char text[JMSG_LENGTH_MAX];
};

void jpeg_exit(j_common_ptr info) {
  auto* error = reinterpret_cast<JpegError*>(info->err);
  info->err->format_message(info, error->text);
  std::longjmp(error->jump, 1);
}

// Warnings after which the decoder makes pixels up.
void jpeg_message(j_common_ptr info, int) {
  const int code = info->err->msg_code;
  for (const int damage : {JWRN_JPEG_EOF, JWRN_HIT_MARKER, JWRN_HUFF_BAD_CODE, JWRN_MUST_RESYNC, JWRN_ARITH_BAD_CODE})
    if (code == damage) jpeg_exit(info);
}

// libjpeg leaves an error by longjmp: between setjmp and it nothing with a destructor is created. What the steps share
// is a member, as locals would be undefined afterwards.
class JpegReader {
 public:
  explicit JpegReader(Bytes file) : file_(file) {
    info_.err = jpeg_std_error(&error_.base);
    error_.base.error_exit = jpeg_exit;
    error_.base.emit_message = jpeg_message;
  }
  ~JpegReader() { jpeg_destroy_decompress(&info_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  Picture read() {
    if (!start()) fail(Code::io, "{}", error_.text);
    Picture picture;
    make_room(picture, info_.image_height, info_.image_width, kJpegRatio * static_cast<int64_t>(file_.size()));
    inks_.resize(of_inks() ? static_cast<size_t>(picture.width) * 4 : 0);
    if (!decode(picture)) fail(Code::io, "{}", error_.text);
    return picture;
  }

 private:
  bool of_inks() const { return info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK; }

  bool start() {
    if (setjmp(error_.jump)) return false;
    jpeg_create_decompress(&info_);
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(file_.data()), file_.size());
    jpeg_read_header(&info_, TRUE);
    return true;
  }

  bool decode(Picture& picture) {
    if (setjmp(error_.jump)) return false;
    info_.out_color_space = of_inks() ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      uint8_t* out = row_of(picture, info_.output_scanline);
      JSAMPROW row = of_inks() ? inks_.data() : out;
      jpeg_read_scanlines(&info_, &row, 1);
      if (of_inks()) colours_of(out, picture.width);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  // Adobe's programs store how much light is left, others how much ink there is.
  void colours_of(uint8_t* out, int width) const {
    const int flip = info_.saw_Adobe_marker ? 0 : 255;
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        out[x * 3 + c] = static_cast<uint8_t>(((inks_[x * 4 + c] ^ flip) * (inks_[x * 4 + 3] ^ flip) + 127) / 255);
  }

  Bytes file_;
  jpeg_decompress_struct info_{};
  JpegError error_{};
  std::vector<uint8_t> inks_;  // one row, [width, 4]
};

// As for JPEG: errors leave by longjmp.
class PngReader {
 public:
  explicit PngReader(Bytes file) : file_(file), left_(file) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, [](png_structp, png_const_charp) {});
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) fail(Code::out_of_memory, "no memory for a PNG reader");
    png_set_read_fn(png_, this, take);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  Picture read() {
    if (!start()) fail(Code::io, "{}", text_);
    Picture picture;
    make_room(picture, png_get_image_height(png_, info_), png_get_image_width(png_, info_),
              kPngRatio * static_cast<int64_t>(file_.size()));
    if (!decode(picture)) fail(Code::io, "{}", text_);
    return picture;
  }

 private:
  static void on_error(png_structp png, png_const_charp text) {
    auto* reader = static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(reader->text_, sizeof reader->text_, "%s", text);
    png_longjmp(png, 1);
  }

  static void take(png_structp png, png_bytep out, size_t count) {
    auto* reader = static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > reader->left_.size()) png_error(png, "the file ends too early");
    std::memcpy(out, reader->left_.data(), count);
    reader->left_ = reader->left_.subspan(count);
  }

  bool start() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_read_info(png_, info_);
    return true;
  }

  bool decode(Picture& picture) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_expand(png_);
    png_set_strip_16(png_);
    png_set_strip_alpha(png_);
    png_set_gray_to_rgb(png_);
    const int passes = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    for (int pass = 0; pass < passes; ++pass)
      for (int y = 0; y < picture.height; ++y) png_read_row(png_, row_of(picture, y), nullptr);
    png_read_end(png_, nullptr);
    return true;
  }

  Bytes file_, left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  char text_[200] = {};
};

bool starts_with(Bytes file, std::string_view magic) {
  return file.size() >= magic.size() && std::memcmp(file.data(), magic.data(), magic.size()) == 0;
}

Picture decode(Bytes file) {
  try {
    if (starts_with(file, "\xFF\xD8")) return JpegReader(file).read();
    if (starts_with(file, "\x89PNG")) return PngReader(file).read();
  } catch (const std::bad_alloc&) {
    fail(Code::out_of_memory, "no memory for its pixels");
  }
  fail(Code::io, "neither JPEG nor PNG");
}

}  // namespace

Picture read_picture(const std::string& path) {
  const FileMap file = FileMap::open(path);
  return with_context([&] { return path; }, [&] { return decode(file.bytes()); });
}

}  // namespace planish::cli
