#include "cli/image.h"

#include <charconv>
#include <cmath>
#include <set>

#include "base/error.h"

namespace planish::cli {
namespace {

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

Picture mean_of_blocks(const Picture& picture, int side) {
  if (picture.height % side != 0 || picture.width % side != 0)
    fail(Code::invalid_argument, "block={} of a picture of {}x{}; a divisor of both is accepted", side, picture.height,
         picture.width);
  Picture out{picture.height / side, picture.width / side, {}};
  out.pixels.resize(static_cast<size_t>(out.height) * static_cast<size_t>(out.width) * 3);
  const int area = side * side;
  size_t next = 0;
  for (int y = 0; y < out.height; ++y)
    for (int x = 0; x < out.width; ++x)
      for (int c = 0; c < 3; ++c) {
        int64_t sum = 0;
        for (int k = 0; k < area; ++k)
          sum +=
              picture.pixels[(static_cast<size_t>(y * side + k / side) * picture.width + x * side + k % side) * 3 + c];
        out.pixels[next++] = static_cast<uint8_t>((sum + area / 2) / area);
      }
  return out;
}

float parse_number(const std::string& key, std::string_view text) {
  float value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || !std::isfinite(value))
    fail(Code::invalid_argument, "{}: '{}' is no number", key, text);
  return value;
}

std::array<float, 3> parse_triple(const std::string& key, const std::string& text) {
  std::vector<float> values;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(':', at), text.size());
    values.push_back(parse_number(key, std::string_view(text).substr(at, end - at)));
    at = end + 1;
  }
  if (values.size() == 1) return {values[0], values[0], values[0]};
  if (values.size() == 3) return {values[0], values[1], values[2]};
  fail(Code::invalid_argument, "{}={} has {} numbers; 1 or 3 are accepted", key, text, values.size());
}

float parse_factor(const std::string& key, const std::string& text) {
  const float value = parse_number(key, text);
  if (value == 0) fail(Code::invalid_argument, "{}=0; other numbers are accepted", key);
  return value;
}

int parse_side(const std::string& key, std::string_view text) {
  int value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || value < 1 || value > kLargestSide)
    fail(Code::invalid_argument, "{}: '{}'; a whole number from 1 to {} is accepted", key, text, kLargestSide);
  return value;
}

void set_stretch(ImageRecipe& recipe, const std::string& value) {
  const size_t x = value.find('x');
  if (x == std::string::npos) fail(Code::invalid_argument, "stretch={}; HxW is accepted", value);
  recipe.stretch_height = parse_side("stretch", std::string_view(value).substr(0, x));
  recipe.stretch_width = parse_side("stretch", std::string_view(value).substr(x + 1));
}

void set_field(ImageRecipe& recipe, const std::string& key, const std::string& value) {
  if (key == "resize")
    recipe.resize = parse_side(key, value);
  else if (key == "crop")
    recipe.crop = parse_side(key, value);
  else if (key == "block")
    recipe.block = parse_side(key, value);
  else if (key == "stretch")
    set_stretch(recipe, value);
  else if (key == "mean")
    recipe.mean = parse_triple(key, value);
  else if (key == "std")
    recipe.std = parse_triple(key, value);
  else if (key == "scale")
    recipe.scale = parse_factor(key, value);
  else if (key == "order" && (value == "rgb" || value == "bgr" || value == "gray")) {
    recipe.bgr = value == "bgr";
    recipe.gray = value == "gray";
  } else if (key == "layout" && (value == "nchw" || value == "nhwc"))
    recipe.channels_last = value == "nhwc";
  else
    fail(Code::invalid_argument,
         "'{}={}'; accepted: resize=N, stretch=HxW, crop=N, block=N, scale=S, mean=M or M:M:M, std=S or S:S:S, "
         "order=rgb|bgr|gray, layout=nchw|nhwc",
         key, value);
}

void check(const ImageRecipe& recipe) {
  for (float value : recipe.std)
    if (value == 0) fail(Code::invalid_argument, "std=0; other numbers are accepted");
  if (recipe.resize > 0 && recipe.stretch_height > 0)
    fail(Code::invalid_argument, "resize and stretch; one of them is accepted");
  if (recipe.gray && (recipe.mean[0] != recipe.mean[1] || recipe.mean[0] != recipe.mean[2] ||
                      recipe.std[0] != recipe.std[1] || recipe.std[0] != recipe.std[2]))
    fail(Code::invalid_argument, "order=gray with three values of mean or std; one is accepted");
}

Picture resize_shorter(const Picture& picture, int side) {
  const int64_t shorter = std::min(picture.height, picture.width);
  const int64_t height = picture.height * int64_t{side} / shorter, width = picture.width * int64_t{side} / shorter;
  return resize(picture, static_cast<int>(height), static_cast<int>(width));
}

}  // namespace

ImageRecipe parse_image_recipe(const std::string& text) {
  ImageRecipe recipe;
  std::set<std::string> keys;
  for (size_t at = 0; at <= text.size() && !text.empty();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string item = text.substr(at, end - at);
    const size_t equals = std::min(item.find('='), item.size());
    const std::string key = item.substr(0, equals);
    set_field(recipe, key, equals < item.size() ? item.substr(equals + 1) : "");
    if (!keys.insert(key).second) fail(Code::invalid_argument, "{} stands twice", key);
    at = end + 1;
  }
  check(recipe);
  return recipe;
}

Picture resize(const Picture& picture, int height, int width) {
  const int64_t tallest = std::max(picture.height, height);
  if (tallest * width > kLargestPicture)
    fail(Code::invalid_argument, "resizing {}x{} to {}x{} needs {} pixels; up to {} are accepted", picture.height,
         picture.width, height, width, tallest * width, kLargestPicture);
  Picture out = width == picture.width ? picture : resize_width(picture, width);
  return height == out.height ? out : transpose(resize_width(transpose(out), height));
}

Tensor apply(const ImageRecipe& recipe, Picture picture) {
  if (recipe.resize > 0) picture = resize_shorter(picture, recipe.resize);
  if (recipe.stretch_height > 0) picture = resize(picture, recipe.stretch_height, recipe.stretch_width);
  if (recipe.crop > 0) picture = crop_centre(picture, recipe.crop);
  if (recipe.block > 1) picture = mean_of_blocks(picture, recipe.block);
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
