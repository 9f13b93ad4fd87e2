#include "cli/image.h"

#include <png.h>

#include <cmath>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <jpeglib.h>

#include "base/error.h"
#include "base/file.h"

namespace planish::cli {
namespace {

constexpr int kLargestSide = 32768;

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

// Plain C style between setjmp and longjmp: nothing with a destructor is created there.
bool decode_jpeg(const std::string& file, Picture& picture, std::string& problem) {
  jpeg_decompress_struct info;
  JpegError error;
  info.err = jpeg_std_error(&error.base);
  error.base.error_exit = jpeg_exit;
  error.base.emit_message = [](j_common_ptr, int) {};
  if (setjmp(error.jump)) {
    problem = error.text;
    jpeg_destroy_decompress(&info);
    return false;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&info, TRUE);
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  picture.width = static_cast<int>(info.output_width);
  picture.height = static_cast<int>(info.output_height);
  picture.pixels.resize(static_cast<size_t>(picture.width) * picture.height * 3);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = picture.pixels.data() + static_cast<size_t>(info.output_scanline) * picture.width * 3;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
  return true;
}

bool decode_png(const std::string& file, Picture& picture, std::string& problem) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory(&image, file.data(), file.size())) {
    problem = image.message;
    return false;
  }
  image.format = PNG_FORMAT_RGB;
  picture.width = static_cast<int>(image.width);
  picture.height = static_cast<int>(image.height);
  if (picture.width > kLargestSide || picture.height > kLargestSide) {
    png_image_free(&image);
    problem = "the picture is too large";
    return false;
  }
  picture.pixels.resize(static_cast<size_t>(picture.width) * picture.height * 3);
  if (png_image_finish_read(&image, nullptr, picture.pixels.data(), 0, nullptr)) return true;
  problem = image.message;
  return false;
}

// Triangle filter weights of one output position; the support widens with the reduction factor.
struct Taps {
  int first = 0;
  std::vector<double> weights;
};

std::vector<Taps> bilinear_taps(int source, int target) {
  const double scale = static_cast<double>(source) / target, stretch = std::max(scale, 1.0);
  std::vector<Taps> all(static_cast<size_t>(target));
  for (int i = 0; i < target; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - stretch + 0.5));
    const int last = std::min(source, static_cast<int>(centre + stretch + 0.5));
    Taps& taps = all[static_cast<size_t>(i)];
    taps.first = first;
    double sum = 0;
    for (int k = first; k < last; ++k) {
      taps.weights.push_back(std::max(0.0, 1.0 - std::abs((k + 0.5 - centre) / stretch)));
      sum += taps.weights.back();
    }
    for (double& weight : taps.weights) weight /= sum;
  }
  return all;
}

uint8_t to_byte(double value) { return static_cast<uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, 255.0)); }

Picture resize_width(const Picture& picture, int width) {
  const auto taps = bilinear_taps(picture.width, width);
  Picture out{picture.height, width, std::vector<uint8_t>(static_cast<size_t>(picture.height) * width * 3)};
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Taps& t = taps[static_cast<size_t>(x)];
      for (int c = 0; c < 3; ++c) {
        double sum = 0;
        for (size_t k = 0; k < t.weights.size(); ++k)
          sum += t.weights[k] * picture.pixels[(static_cast<size_t>(y) * picture.width + t.first + k) * 3 + c];
        out.pixels[(static_cast<size_t>(y) * width + x) * 3 + c] = to_byte(sum);
      }
    }
  }
  return out;
}

Picture transpose(const Picture& picture) {
  Picture out{picture.width, picture.height, std::vector<uint8_t>(picture.pixels.size())};
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x)
      std::copy_n(&picture.pixels[(static_cast<size_t>(y) * picture.width + x) * 3], 3,
                  &out.pixels[(static_cast<size_t>(x) * picture.height + y) * 3]);
  return out;
}

Picture crop_centre(const Picture& picture, int side) {
  if (side > picture.height || side > picture.width)
    fail(Code::invalid_argument, "crop={} of a picture of {}x{}; up to {} is accepted", side, picture.height,
         picture.width, std::min(picture.height, picture.width));
  const int top = (picture.height - side) / 2, left = (picture.width - side) / 2;
  Picture out{side, side, std::vector<uint8_t>(static_cast<size_t>(side) * side * 3)};
  for (int y = 0; y < side; ++y)
    std::copy_n(&picture.pixels[(static_cast<size_t>(y + top) * picture.width + left) * 3], side * 3,
                &out.pixels[static_cast<size_t>(y) * side * 3]);
  return out;
}

std::vector<float> parse_floats(const std::string& key, const std::string& text) {
  std::vector<float> values;
  size_t at = 0;
  while (at <= text.size()) {
    const size_t end = std::min(text.find(':', at), text.size());
    char* stop = nullptr;
    const std::string item = text.substr(at, end - at);
    values.push_back(std::strtof(item.c_str(), &stop));
    if (item.empty() || *stop != 0 || !std::isfinite(values.back()))
      fail(Code::invalid_argument, "{}={} is not a number or three separated by ':'", key, text);
    at = end + 1;
  }
  return values;
}

std::array<float, 3> parse_triple(const std::string& key, const std::string& text) {
  const auto values = parse_floats(key, text);
  if (values.size() == 1) return {values[0], values[0], values[0]};
  if (values.size() == 3) return {values[0], values[1], values[2]};
  fail(Code::invalid_argument, "{}={} has {} numbers; 1 or 3 are accepted", key, text, values.size());
}

int parse_side(const std::string& key, const std::string& text) {
  const float value = parse_floats(key, text).front();
  if (value < 1 || value > kLargestSide || value != std::floor(value))
    fail(Code::invalid_argument, "{}={}; 1 to {} is accepted", key, text, kLargestSide);
  return static_cast<int>(value);
}

void set_field(ImageRecipe& recipe, const std::string& key, const std::string& value) {
  if (key == "resize")
    recipe.resize = parse_side(key, value);
  else if (key == "crop")
    recipe.crop = parse_side(key, value);
  else if (key == "stretch") {
    const size_t x = value.find('x');
    recipe.stretch_height = parse_side(key, value.substr(0, x));
    recipe.stretch_width = x == std::string::npos ? recipe.stretch_height : parse_side(key, value.substr(x + 1));
  } else if (key == "mean")
    recipe.mean = parse_triple(key, value);
  else if (key == "std")
    recipe.std = parse_triple(key, value);
  else if (key == "scale")
    recipe.scale = parse_floats(key, value).front();
  else if (key == "order" && (value == "rgb" || value == "bgr" || value == "gray")) {
    recipe.bgr = value == "bgr";
    recipe.gray = value == "gray";
  } else if (key == "layout" && (value == "nchw" || value == "nhwc"))
    recipe.channels_last = value == "nhwc";
  else
    fail(Code::invalid_argument,
         "'{}={}'; accepted: resize=N, stretch=HxW, crop=N, scale=S, mean=M or M:M:M, std=S or S:S:S, "
         "order=rgb|bgr|gray, layout=nchw|nhwc",
         key, value);
}

}  // namespace

ImageRecipe parse_image_recipe(const std::string& text) {
  ImageRecipe recipe;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string item = text.substr(at, end - at);
    const size_t equals = std::min(item.find('='), item.size());
    set_field(recipe, item.substr(0, equals), equals < item.size() ? item.substr(equals + 1) : "");
    at = end + 1;
  }
  for (float value : recipe.std)
    if (value == 0) fail(Code::invalid_argument, "std=0; other numbers are accepted");
  return recipe;
}

Picture read_picture(const std::string& path) {
  const std::string file = read_file(path);
  Picture picture;
  std::string problem = "neither JPEG nor PNG";
  const bool jpeg = file.starts_with("\xFF\xD8"), png = file.starts_with("\x89PNG");
  const bool good = (jpeg && decode_jpeg(file, picture, problem)) || (png && decode_png(file, picture, problem));
  if (!good) fail(Code::io, "{}: {}", path, problem);
  return picture;
}

void write_png(const std::string& path, const Picture& picture) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  if (!png_image_write_get_memory_size(image, size, 0, picture.pixels.data(), 0, nullptr))
    fail(Code::io, "{}: {}", path, image.message);
  std::string out(size, '\0');
  if (!png_image_write_to_memory(&image, out.data(), &size, 0, picture.pixels.data(), 0, nullptr))
    fail(Code::io, "{}: {}", path, image.message);
  out.resize(size);
  write_file_atomic(path, out);
}

Picture resize(const Picture& picture, int height, int width) {
  Picture out = width == picture.width ? picture : resize_width(picture, width);
  return height == out.height ? out : transpose(resize_width(transpose(out), height));
}

Tensor apply(const ImageRecipe& recipe, Picture picture) {
  if (recipe.resize > 0) {
    const int shorter = std::min(picture.height, picture.width);
    const auto scaled = [&](int side) {
      return static_cast<int>(static_cast<int64_t>(side) * recipe.resize / shorter);
    };
    picture = resize(picture, scaled(picture.height), scaled(picture.width));
  }
  if (recipe.stretch_height > 0) picture = resize(picture, recipe.stretch_height, recipe.stretch_width);
  if (recipe.crop > 0) picture = crop_centre(picture, recipe.crop);
  const int64_t channels = recipe.gray ? 1 : 3, height = picture.height, width = picture.width;
  const std::vector<int64_t> extents = recipe.channels_last ? std::vector<int64_t>{1, height, width, channels}
                                                            : std::vector<int64_t>{1, channels, height, width};
  return Tensor::make(DataType::f32, extents, [&](std::byte* out) {
    auto* values = reinterpret_cast<float*>(out);
    for (int64_t p = 0; p < height * width; ++p) {
      const uint8_t* rgb = &picture.pixels[static_cast<size_t>(p) * 3];
      for (int64_t c = 0; c < channels; ++c) {
        const float value =
            recipe.gray ? 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2] : rgb[recipe.bgr ? 2 - c : c];
        const auto channel = static_cast<size_t>(c);
        values[recipe.channels_last ? p * channels + c : c * height * width + p] =
            (value * recipe.scale - recipe.mean[channel]) / recipe.std[channel];
      }
    }
  });
}

}  // namespace planish::cli
