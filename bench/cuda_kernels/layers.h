#pragma once
// The layers of networks that the kernels are held against.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace planish::kernel_bench {

struct Layer {
  std::string group, name;
  int images, height, width, channels, filters, taps, stride, pad;
  bool residual, relu;
  int count;                               // times in the network
  double library, fused;                   // cuDNN's µs on an H200 without and with the epilogue; 0: not measured
  int groups = 1, dilation = 1, axes = 2;  // with three axes depth is as height
  bool transposed = false;

  int extent(int axis) const { return axis == 2 ? width : axis == 1 || axes == 3 ? height : 1; }
  int taps_of(int axis) const { return axis == 0 && axes == 2 ? 1 : axis == 1 && height == 1 ? 1 : taps; }
  int pad_of(int axis) const { return taps_of(axis) == 1 && taps > 1 ? 0 : pad; }
  int stride_of(int axis) const { return extent(axis) == 1 ? 1 : stride; }
  int out(int axis) const {
    const int reach = (taps_of(axis) - 1) * dilation + 1, in = extent(axis), step = stride_of(axis), p = pad_of(axis);
    return transposed ? (in - 1) * step - 2 * p + reach : (in + 2 * p - reach) / step + 1;
  }
  int out_h() const { return out(1); }
  int out_w() const { return out(2); }
  int all_taps() const { return taps_of(0) * taps_of(1) * taps_of(2); }
  int64_t rows() const { return int64_t{images} * out(0) * out(1) * out(2); }
  int64_t input() const { return int64_t{images} * extent(0) * height * width * channels; }
  int64_t output() const { return rows() * filters; }
  int64_t weights() const { return int64_t{filters} * all_taps() * (channels / groups); }
  double flops() const { return 2.0 * static_cast<double>(rows()) * static_cast<double>(weights()); }
  bool common() const { return groups == 1 && axes == 2 && !transposed && height > 1; }  // or a matrix
  double bytes(int size) const {
    const double read = static_cast<double>(input()) / (taps == 1 ? stride * stride : 1);
    return (read + static_cast<double>(output()) * (residual ? 2 : 1) + static_cast<double>(weights())) * size;
  }
};

// ResNet-50 behind its stem: 52 convolutions of 23 kinds.
inline void add_resnet(std::vector<Layer>& out, const std::string& group, int n, bool figures) {
  const Layer rows[] = {
      {"", "2.1x1a0", n, 56, 56, 64, 64, 1, 1, 0, false, true, 1, 0, 0},
      {"", "2.3x3", n, 56, 56, 64, 64, 3, 1, 1, false, true, 3, 5.87, 5.32},
      {"", "2.1x1c", n, 56, 56, 64, 256, 1, 1, 0, true, true, 3, 2.90, 4.08},
      {"", "2.ds", n, 56, 56, 64, 256, 1, 1, 0, false, false, 1, 0, 0},
      {"", "2.1x1a", n, 56, 56, 256, 64, 1, 1, 0, false, true, 2, 4.28, 3.36},
      {"", "3.1x1a0", n, 56, 56, 256, 128, 1, 1, 0, false, true, 1, 0, 0},
      {"", "3.3x3s2", n, 56, 56, 128, 128, 3, 2, 1, false, true, 1, 0, 0},
      {"", "3.1x1c", n, 28, 28, 128, 512, 1, 1, 0, true, true, 4, 3.53, 4.62},
      {"", "3.ds", n, 56, 56, 256, 512, 1, 2, 0, false, false, 1, 0, 0},
      {"", "3.1x1a", n, 28, 28, 512, 128, 1, 1, 0, false, true, 3, 3.11, 0},
      {"", "3.3x3", n, 28, 28, 128, 128, 3, 1, 1, false, true, 3, 6.18, 6.36},
      {"", "4.1x1a0", n, 28, 28, 512, 256, 1, 1, 0, false, true, 1, 0, 0},
      {"", "4.3x3s2", n, 28, 28, 256, 256, 3, 2, 1, false, true, 1, 0, 0},
      {"", "4.1x1c", n, 14, 14, 256, 1024, 1, 1, 0, true, true, 6, 2.93, 3.58},
      {"", "4.ds", n, 28, 28, 512, 1024, 1, 2, 0, false, false, 1, 0, 0},
      {"", "4.1x1a", n, 14, 14, 1024, 256, 1, 1, 0, false, true, 5, 3.73, 3.99},
      {"", "4.3x3", n, 14, 14, 256, 256, 3, 1, 1, false, true, 5, 7.83, 7.97},
      {"", "5.1x1a0", n, 14, 14, 1024, 512, 1, 1, 0, false, true, 1, 0, 0},
      {"", "5.3x3s2", n, 14, 14, 512, 512, 3, 2, 1, false, true, 1, 0, 0},
      {"", "5.1x1c", n, 7, 7, 512, 2048, 1, 1, 0, true, true, 3, 3.18, 3.86},
      {"", "5.ds", n, 14, 14, 1024, 2048, 1, 2, 0, false, false, 1, 0, 0},
      {"", "5.1x1a", n, 7, 7, 2048, 512, 1, 1, 0, false, true, 2, 5.07, 0},
      {"", "5.3x3", n, 7, 7, 512, 512, 3, 1, 1, false, true, 2, 11.46, 12.43},
  };
  static const std::map<std::string, std::pair<double, double>> large = {
      {"2.1x1a0", {30.5, 0}},   {"2.3x3", {68.3, 74.7}},  {"2.1x1c", {73.7, 160}},  {"2.1x1a", {65.8, 66.9}},
      {"3.3x3s2", {49.6, 0}},   {"3.1x1c", {42.1, 65.5}}, {"3.3x3", {47.6, 47.4}},  {"4.1x1a0", {47.7, 0}},
      {"4.3x3s2", {46.3, 0}},   {"4.1x1c", {29.0, 45.6}}, {"4.1x1a", {22.5, 24.7}}, {"4.3x3", {45.4, 45.3}},
      {"5.1x1c", {28.1, 32.6}}, {"5.3x3", {49.1, 49.2}}};
  for (Layer layer : rows) {
    layer.group = group;
    if (n != 1) {
      auto found = large.find(layer.name);
      layer.library = found == large.end() ? 0 : found->second.first;
      layer.fused = found == large.end() ? 0 : found->second.second;
    }
    if (!figures) layer.library = layer.fused = 0;
    out.push_back(layer);
  }
}

inline void add_products(std::vector<Layer>& out, const std::string& group, const std::string& name, int rows) {
  auto add = [&](const char* what, int depth, int columns, bool residual) {
    out.push_back({group, name + what, 1, 1, rows, depth, columns, 1, 1, 0, residual, false, 12, 0, 0});
  };
  add(".qkv", 768, 2304, false);
  add(".out", 768, 768, true);
  add(".up", 768, 3072, false);
  add(".down", 3072, 768, true);
}

inline void add_yolo(std::vector<Layer>& out, const std::string& group, int n) {
  auto add = [&](const char* name, int size, int channels, int filters, int taps, int stride) {
    out.push_back({group, name, n, size, size, channels, filters, taps, stride, taps / 2, false, true, 1, 0, 0});
  };
  add("v8n 3x3s2 16>32@320", 320, 16, 32, 3, 2);
  add("v8n 3x3 16@160", 160, 16, 16, 3, 1);
  add("v8n 3x3s2 32>64@160", 160, 32, 64, 3, 2);
  add("v8n 3x3 32@80", 80, 32, 32, 3, 1);
  add("v8n 3x3 64@40", 40, 64, 64, 3, 1);
  add("v8n 3x3 128@20", 20, 128, 128, 3, 1);
  add("v8n 3x3 64>80@80", 80, 64, 80, 3, 1);
  add("v8n 1x1 48>32@160", 160, 48, 32, 1, 1);
  add("v5s 3x3s2 32>64@320", 320, 32, 64, 3, 2);
  add("v5s 1x1 384>128@40", 40, 384, 128, 1, 1);
}

inline void add_odd(std::vector<Layer>& out, const std::string& group) {
  auto add = [&](const char* name, int h, int w, int c, int k, int taps, int stride, int pad,
                 bool residual = false) -> Layer& {
    out.push_back({group, name, 2, h, w, c, k, taps, stride, pad, residual, true, 1, 0, 0});
    return out.back();
  };
  add("3x3 24>40", 19, 23, 24, 40, 3, 1, 1, true);
  add("3x3 3>64 s2", 33, 31, 3, 64, 3, 2, 1);
  add("5x5 7>13", 17, 17, 7, 13, 5, 1, 2, true);
  add("1x1 100>255", 20, 20, 100, 255, 1, 1, 0);
  add("3x3 dilated 64", 28, 28, 64, 64, 3, 1, 2).dilation = 2;
  add("3x3 4 groups 128", 28, 28, 128, 128, 3, 1, 1, true).groups = 4;
  add("3x3 32 groups 256", 14, 14, 256, 256, 3, 1, 1).groups = 32;
  add("2x2 transposed 64>32", 20, 20, 64, 32, 2, 2, 0).transposed = true;
  add("4x4 transposed 48>24", 13, 11, 48, 24, 4, 2, 1, true).transposed = true;
  add("3x3x3 32>48", 12, 12, 32, 48, 3, 1, 1).axes = 3;
  add("3x3x3 s2 16>32", 13, 13, 16, 32, 3, 2, 1).axes = 3;
  add("3 of a line 40>64", 1, 200, 40, 64, 3, 2, 1, true);
}

inline void add_depthwise_layers(std::vector<Layer>& out, const std::string& group, int n) {
  auto add = [&](const char* name, int size, int channels, int taps, int stride, bool residual = false) {
    out.push_back({group, std::string(name) + (n == 1 ? " b1" : " b128"), n, size, size, channels, channels, taps,
                   stride, taps / 2, residual, true, 1, 0, 0});
    out.back().groups = channels;
  };
  add("mv2 32@112", 112, 32, 3, 1);
  add("mv2 96@112 s2", 112, 96, 3, 2);
  add("mv2 144@56", 56, 144, 3, 1);
  add("mv2 192@28", 28, 192, 3, 1, true);
  add("mv2 384@14", 14, 384, 3, 1);
  add("mv2 576@14 s2", 14, 576, 3, 2);
  add("mv2 960@7", 7, 960, 3, 1);
  add("en0 144@56 5x5 s2", 56, 144, 5, 2);
  add("en0 672@14 5x5", 14, 672, 5, 1);
}

inline void add_first_layers(std::vector<Layer>& out, const std::string& group, int n) {
  auto add = [&](const char* name, int size, int filters, int taps, int stride, int pad) {
    out.push_back({group, std::string(name) + " b" + std::to_string(n), n, size, size, 3, filters, taps, stride, pad,
                   false, true, 1, 0, 0});
  };
  add("rn50 7x7", 224, 64, 7, 2, 3);
  add("mv2 3x3", 224, 32, 3, 2, 1);
  if (n > 16) return;
  add("v5s 6x6", 640, 32, 6, 2, 2);
  add("v8n 3x3", 640, 16, 3, 2, 1);
  add("vgg 3x3", 224, 64, 3, 1, 1);
}

constexpr const char* kGroups[] = {"rn50-b1",        "types", "rn50-b128", "products",  "yolo",
                                   "products-large", "odd",   "first",     "depthwise", "rn50-b128-s8"};

inline std::vector<Layer> layers() {
  std::vector<Layer> out;
  add_resnet(out, "rn50-b1", 1, true);
  add_resnet(out, "rn50-b128", 128, true);
  std::vector<Layer> some;
  add_resnet(some, "types", 4, false);
  for (const Layer& layer : some)
    if (layer.name == "4.3x3" || layer.name == "4.1x1c" || layer.name == "3.3x3s2") out.push_back(layer);
  add_products(out, "products", "bert128", 128);
  add_products(out, "products", "vit", 197);
  add_products(out, "products-large", "bert384x32", 12288);
  add_products(out, "products-large", "vitx128", 25216);
  add_yolo(out, "yolo", 1);
  add_odd(out, "odd");
  for (int n : {1, 128}) {
    add_first_layers(out, "first", n);
    add_depthwise_layers(out, "depthwise", n);
  }
  add_resnet(out, "rn50-b128-s8", 128, false);
  return out;
}

}  // namespace planish::kernel_bench
