#pragma once
// Configurations of the product kernels, and which of them are tried for a layer.

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "layers.h"

namespace planish::kernel_bench {

struct Type {
  const char *key, *element, *result;
  int size, result_size, map_type, result_map_type;
};
inline const Type kHalf{"f16", "half_t", "half_t", 2, 2, 6, 6}, kBfloat{"bf16", "bfloat_t", "bfloat_t", 2, 2, 9, 9},
    kTf32{"tf32", "tf32_t", "float", 4, 4, 7, 7}, kInt8{"s8", "int8_t", "int8_t", 1, 1, 0, 0},
    kHalfOut32{"f16f32", "half_t", "float", 2, 4, 6, 7};

// A configuration of a kernel; what a family does not have is 0. depthwise: tile_rows lines by columns pixels, group is
// the vector; first: tile_rows = 2 * warps * 16.
struct Config {
  enum Family { small, large, general, depthwise, first } family;
  int tile_rows, columns, block_bytes, stages, group;
  int split = 1;                             // small
  bool ping_pong = false;                    // large
  int cluster = 1;                           // large
  int warps_m = 0, warps_n = 0, access = 0;  // general
  bool aligned = true;                       // general

  int warp_rows() const { return ping_pong ? tile_rows : tile_rows / 2; }  // large
  int threads() const {
    static constexpr int fixed[] = {160, 384, 0, 128, 0};
    return family == general ? 32 * warps_m * warps_n : family == first ? tile_rows : fixed[family];
  }
  int result_bytes(const Type& t) const { return columns * t.result_size; }
  int panel(const Type& t) const {
    const int row = result_bytes(t);
    return row % 128 == 0 ? 128 : row % 64 == 0 ? 64 : 32;
  }
  int shared(const Type& t) const {
    if (family == depthwise) return 0;
    if (family == first) return stages;
    const int all = stages * (tile_rows + columns) * block_bytes;
    if (family == large) return all + 2 * warp_rows() * result_bytes(t) + (2 * stages + 6) * 8;
    if (family == small) return all + (split > 1 ? 64 * columns * 4 : 0) + (2 * stages + 1) * 8;
    return all;
  }
  std::string text() const {
    char out[80];
    const int part = family == small ? split : family == large ? cluster : access;
    std::snprintf(out, sizeof out, "%c %dx%d%s/%d k%d s%d", "SLGDF"[family], tile_rows, columns,
                  family != large ? ""
                  : ping_pong     ? "pp"
                                  : "co",
                  part, block_bytes, stages);
    return out;
  }
  std::string arguments() const {  // of the template, behind the types
    std::string out;
    auto add = [&](int x) { out += ", " + std::to_string(x); };
    if (family != small) add(family == large ? warp_rows() : tile_rows);
    for (int x : {columns, block_bytes, stages}) add(x);
    if (family == small) add(split);
    if (family == large) out += ping_pong ? ", true" : ", false", add(cluster);
    if (family == general)
      for (int x : {warps_m, warps_n, access}) add(x);
    add(group);
    return out;
  }
};

struct Job {
  const Layer* layer;
  Type type;
  Config config;
  bool image() const { return layer->taps > 1 || layer->stride > 1; }
  std::string program() const {
    return std::string(type.key) + (layer->residual ? "_add" : "") + (layer->relu ? "_relu" : "");
  }
  std::string chosen() const {
    static const char* const names[] = {"SmallConv<", "LargeConv<", "GeneralConv<", "DepthwiseConv<", "FirstConv<"};
    const auto list = [](std::initializer_list<int> numbers) {
      std::string out;
      for (int x : numbers) out += ", " + std::to_string(x);
      return out + ">";
    };
    const Config& c = config;
    const std::string types = std::string(names[c.family]) + type.element + ", " + type.result;
    const int taps = layer->taps, stride = layer->stride;
    if (c.family == Config::depthwise)
      return types + list({taps, taps, stride, layer->dilation, c.tile_rows, c.columns, c.group});
    if (c.family == Config::first) return types + list({taps, taps, stride, c.tile_rows / 32, c.columns, c.group});
    const std::string out = types + c.arguments();
    if (c.family != Config::general) return out + (image() ? ", true>" : ", false>");
    return out + (layer->transposed ? ", true" : ", false") + (c.aligned ? ", true>" : ", false>");
  }
  std::string image_name() const {
    std::string out = program() + "_" + chosen();
    std::replace_if(
        out.begin(), out.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
    return out;
  }
  std::string program_text() const {
    std::string apply = layer->residual ? (type.size == 1 ? "v + 0.5f * r" : "v + r") : "v";
    if (layer->relu) apply = "fmaxf(" + apply + ", 0.0f)";
    return std::string("struct Program {\n  static constexpr bool residual = ") + (layer->residual ? "true" : "false") +
           ", scale = " + (type.size == 1 ? "true" : "false") +
           ";\n  static __device__ float apply(float v, float r) { return " + apply + "; }\n};\n";
  }
  std::string source() const {
    static const char* const files[] = {"conv_small.cuh", "conv_large.cuh", "conv_general.cuh", "depthwise.cuh",
                                        "conv_first.cuh"};
    static const char* const macros[] = {"PLANISH_CONV_SMALL", "PLANISH_CONV_LARGE", "PLANISH_CONV_GENERAL",
                                         "PLANISH_CONV_DEPTHWISE", "PLANISH_CONV_FIRST"};
    return std::string("#include \"") + files[config.family] + "\"\n" + program_text() + "using Chosen = " + chosen() +
           ";\n" + macros[config.family] + "(kernel, Chosen, Program)\n";
  }
  std::string check_source() const {
    return "#include \"checks.cuh\"\n" + program_text() + "PLANISH_CHECKS(" + type.element + ", " + type.result + ")\n";
  }
};

constexpr int kSharedLimit = 232448;

// Channels in rows of weights that are permuted together: the most that divide the filters; 0: none.
inline int group_of(const Layer& layer, const Type& type) {
  for (int group : {8, 4, 2, 1})
    if (layer.filters / layer.groups % (8 * group) == 0 && (type.result_size > 1 || group > 1)) return group;
  return 0;
}
inline int block_bytes_of(const Layer& layer, const Type& type) {
  const int bytes = layer.channels / layer.groups * type.size;
  return bytes % 128 == 0 || bytes > 128 ? 128 : bytes > 32 ? 64 : 32;
}

inline void add_small(std::vector<Job>& out, const Layer& layer, const Type& type) {
  const int group = group_of(layer, type), bytes = block_bytes_of(layer, type);
  const int depth = bytes / type.size, blocks = layer.taps * layer.taps * ((layer.channels + depth - 1) / depth);
  struct Row {
    int columns, stages, split;
  };
  for (Row r : {Row{16, 8, 1}, Row{32, 7, 1}, Row{32, 7, 2}, Row{32, 7, 4}, Row{32, 7, 8}, Row{32, 12, 8},
                Row{64, 5, 1}, Row{64, 5, 2}, Row{64, 5, 4}, Row{64, 5, 8}, Row{64, 5, 16}, Row{64, 12, 4},
                Row{80, 4, 1}, Row{128, 4, 1}, Row{128, 4, 4}}) {
    const int tiles = (layer.filters + r.columns - 1) / r.columns;
    if (blocks < r.split || tiles * r.columns > layer.filters) continue;
    if (r.columns == 16 && layer.filters != 16) continue;
    if (r.columns == 80 && layer.filters != 80) continue;
    if (r.columns / 8 < group && group % (r.columns / 8) != 0) continue;
    if ((layer.rows() + 63) / 64 * tiles * r.split > 1500) continue;
    Config config{Config::small, 64, r.columns, bytes, r.stages, group};
    config.split = r.split;
    if (config.shared(type) <= kSharedLimit) out.push_back({&layer, type, config});
  }
}

inline void add_large(std::vector<Job>& out, const Layer& layer, const Type& type) {
  const int group = group_of(layer, type), bytes = block_bytes_of(layer, type);
  struct Row {
    int rows, columns, stages;
    bool ping_pong;
    int cluster;
  };
  for (Row r :
       {Row{128, 128, 5, true, 1}, Row{128, 128, 5, true, 2}, Row{128, 128, 6, false, 1}, Row{128, 128, 6, false, 2},
        Row{256, 128, 3, false, 1}, Row{256, 128, 3, false, 2}, Row{128, 256, 3, false, 1}, Row{128, 256, 3, false, 2},
        Row{64, 256, 4, true, 1}, Row{64, 256, 4, true, 2}, Row{128, 64, 7, true, 1}, Row{256, 64, 4, false, 1},
        Row{256, 192, 3, false, 1}, Row{128, 192, 4, false, 1}, Row{128, 192, 4, false, 2}, Row{64, 64, 8, true, 1},
        Row{64, 128, 7, true, 1}}) {
    const int tiles = (layer.filters + r.columns - 1) / r.columns;
    if (tiles * r.columns > layer.filters || r.columns % (8 * group) != 0) continue;
    if (layer.filters >= 128 && r.columns == 64) continue;
    Config config{Config::large, r.rows, r.columns, bytes, r.stages, group};
    config.ping_pong = r.ping_pong, config.cluster = r.cluster;
    if (config.shared(type) <= kSharedLimit) out.push_back({&layer, type, config});
  }
}

inline void add_general(std::vector<Job>& out, const Layer& layer, const Type& type) {
  const int channels = layer.channels / layer.groups, filters = layer.filters / layer.groups;
  const int bytes = channels * type.size > 32 ? 64 : 32;
  int access = 16;
  while (access >= 4 && channels * type.size % access != 0) access /= 2;
  struct Row {
    int rows, columns, stages, warps_m, warps_n;
  };
  for (Row r : {Row{128, 128, 4, 2, 4}, Row{64, 64, 4, 2, 2}, Row{128, 64, 4, 4, 2}, Row{64, 32, 4, 2, 2}}) {
    const bool aligned = filters % 8 == 0;
    if (r.columns > 32 && r.columns >= 2 * filters) continue;
    Config config{Config::general, r.rows,   r.columns,
                  bytes,           r.stages, aligned ? std::max(group_of(layer, type), 1) : 1};
    config.warps_m = r.warps_m, config.warps_n = r.warps_n, config.access = access;
    config.aligned = aligned && (type.result_size > 1 || config.group > 1);
    if (r.rows * bytes / 16 % config.threads() == 0) out.push_back({&layer, type, config});
  }
}

inline void add_depthwise(std::vector<Job>& out, const Layer& layer, const Type& type) {
  for (const auto& [lines, pixels, vector] :
       {std::array{1, 1, 8}, {1, 4, 4}, {4, 2, 4}, {7, 2, 4}, {4, 4, 2}, {7, 2, 2}}) {
    if (type.size == 4 && vector > 4) continue;
    out.push_back({&layer, type, {Config::depthwise, lines, pixels, 0, 0, vector}});
  }
}

inline void add_first(std::vector<Job>& out, const Layer& layer, const Type& type) {
  for (int warps : {2, 4, 8})
    for (int columns : {16, 32, 64}) {
      if (layer.filters % columns != 0 || (layer.filters >= 64 && columns < 32)) continue;
      const int padded = (layer.taps + 3) / 4 * 4, high = (2 * warps - 1) * layer.stride + layer.taps;
      const int shared = columns * (layer.taps * padded * 8 + 16) + high * (15 * layer.stride + padded) * 8;
      out.push_back({&layer, type, {Config::first, 32 * warps, columns, 0, shared, group_of(layer, type)}});
    }
}

inline std::vector<Job> jobs(const std::vector<Layer>& all) {
  std::vector<Job> out;
  for (const Layer& layer : all) {
    if (layer.group == "types") {
      for (const Type& type : {kBfloat, kTf32, kInt8, kHalfOut32}) {
        add_small(out, layer, type);
        add_large(out, layer, type);
        add_general(out, layer, type);
      }
    } else if (layer.group == "depthwise") {
      for (const Type& type : {kHalf, kBfloat}) add_depthwise(out, layer, type);
    } else if (layer.group == "first") {
      add_first(out, layer, kHalf);
      add_general(out, layer, kHalf);
    } else if (layer.group == "odd") {
      for (const Type& type : {kHalf, kInt8, kTf32}) add_general(out, layer, type);
    } else if (layer.group == "rn50-b128-s8") {
      add_large(out, layer, kInt8);
    } else {
      if (layer.rows() * layer.filters <= int64_t{1} << 23) add_small(out, layer, kHalf);
      if (layer.group != "rn50-b1") add_large(out, layer, kHalf);
      if (layer.group == "yolo" || layer.group == "products") add_general(out, layer, kHalf);
    }
  }
  return out;
}

}  // namespace planish::kernel_bench
