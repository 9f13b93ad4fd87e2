#pragma once
// Pictures: JPEG and PNG files as 8-bit RGB.

#include <cstdint>
#include <string>
#include <vector>

namespace planish::cli {

constexpr int kLargestSide = 32768;
constexpr int64_t kLargestPicture = int64_t{1} << 28;  // pixels

struct Picture {  // RGB, 8 bits, [height, width, 3]
  int height = 0, width = 0;
  std::vector<uint8_t> pixels;
};

// JPEG: grey, YCbCr, RGB, CMYK and YCCK. PNG: every colour type and depth; of 16 bits the upper 8 are taken, alpha is
// dropped, palettes and grey become RGB; gamma and profiles are not applied. Turns that EXIF asks for are not made.
// A damaged or truncated file is an Error(io) that names it.
Picture read_picture(const std::string& path);

}  // namespace planish::cli
