// The product kernels of kernels/cuda, layer by layer: every value against a plain convolution, and times of graphs.
//   bench_cuda_kernels compile FOLDER              images of all configurations; needs NVRTC, no GPU
//   bench_cuda_kernels run FOLDER [GROUP…]         on a GPU, with those images; groups: see kGroups. Default: all
// A configuration that fails is named and the rest goes on: jobs run in a process of their own, started again behind
// it.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "device/cuda/driver.h"
#include "device/cuda/nvrtc.h"
#include "kernels/cuda/sources.h"

extern char** environ;

namespace {

using namespace planish;
using cuda::Address;

struct Layer {
  std::string group, name;
  int images, height, width, channels, filters, taps, stride, pad;
  bool residual, relu;
  int count;              // times in the network
  double library, fused;  // cuDNN's µs on an H200 without and with the epilogue; 0: not measured

  int out_h() const { return (height + 2 * pad - taps) / stride + 1; }
  int out_w() const { return (width + 2 * pad - taps) / stride + 1; }
  int64_t rows() const { return int64_t{images} * out_h() * out_w(); }
  int64_t input() const { return int64_t{images} * height * width * channels; }
  int64_t output() const { return rows() * filters; }
  int64_t weights() const { return int64_t{filters} * taps * taps * channels; }
  double flops() const { return 2.0 * static_cast<double>(rows()) * filters * taps * taps * channels; }
  double bytes(int size) const {
    const double read = static_cast<double>(input()) / (taps == 1 ? stride * stride : 1);
    return (read + static_cast<double>(output()) * (residual ? 2 : 1) + static_cast<double>(weights())) * size;
  }
};

// ResNet-50 behind its stem: 52 convolutions of 23 kinds.
void add_resnet(std::vector<Layer>& out, const std::string& group, int n, bool figures) {
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

void add_products(std::vector<Layer>& out, const std::string& group, const std::string& name, int rows) {
  auto add = [&](const char* what, int depth, int columns, bool residual) {
    out.push_back({group, name + what, 1, 1, rows, depth, columns, 1, 1, 0, residual, false, 12, 0, 0});
  };
  add(".qkv", 768, 2304, false);
  add(".out", 768, 768, true);
  add(".up", 768, 3072, false);
  add(".down", 3072, 768, true);
}

void add_yolo(std::vector<Layer>& out, const std::string& group, int n) {
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

const char* const kGroups[] = {"rn50-b1", "rn50-b128", "types", "products", "products-large", "yolo", "rn50-b128-s8"};

std::vector<Layer> layers() {
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
  add_resnet(out, "rn50-b128-s8", 128, false);
  return out;
}

struct Type {
  const char *key, *element, *result;
  int size, result_size, map_type, result_map_type;
};
const Type kHalf{"f16", "half_t", "half_t", 2, 2, 6, 6}, kBfloat{"bf16", "bfloat_t", "bfloat_t", 2, 2, 9, 9},
    kTf32{"tf32", "tf32_t", "float", 4, 4, 7, 7}, kInt8{"s8", "int8_t", "int8_t", 1, 1, 0, 0},
    kHalfOut32{"f16f32", "half_t", "float", 2, 4, 6, 7};

// A configuration of conv_small.cuh or conv_large.cuh.
struct Config {
  bool large;
  int warp_rows, columns, block_bytes, stages, split;
  bool ping_pong;
  int cluster, group;

  int rows() const { return !large ? 64 : ping_pong ? warp_rows : 2 * warp_rows; }
  int result_bytes(const Type& t) const { return columns * t.result_size; }
  int panel(const Type& t) const {
    const int row = result_bytes(t);
    return row % 128 == 0 ? 128 : row % 64 == 0 ? 64 : 32;
  }
  int shared(const Type& t) const {
    const int stage = (rows() + columns) * block_bytes;
    if (large) return stages * stage + 2 * warp_rows * result_bytes(t) + (2 * stages + 6) * 8;
    return stages * stage + (split > 1 ? 64 * columns * 4 : 0) + (2 * stages + 1) * 8;
  }
  std::string text() const {
    char out[64];
    if (large)
      std::snprintf(out, sizeof out, "%dx%d%s/%d k%d s%d", rows(), columns, ping_pong ? "pp" : "co", cluster,
                    block_bytes, stages);
    else
      std::snprintf(out, sizeof out, "64x%d/%d k%d s%d", columns, split, block_bytes, stages);
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
  std::string image_name() const {
    const Config& c = config;
    char out[128];
    std::snprintf(out, sizeof out, "%s%d_%dx%d_k%d_s%d_%d%s%d_g%d%s", c.large ? "large" : "small", c.split, c.rows(),
                  c.columns, c.block_bytes, c.stages, c.warp_rows, c.ping_pong ? "p" : "c", c.cluster, c.group,
                  image() ? "_image" : "");
    return program() + "_" + out;
  }
  std::string program_text() const {
    std::string apply = layer->residual ? (type.size == 1 ? "v + 0.5f * r" : "v + r") : "v";
    if (layer->relu) apply = "fmaxf(" + apply + ", 0.0f)";
    return std::string("struct Program {\n  static constexpr bool residual = ") + (layer->residual ? "true" : "false") +
           ", scale = " + (type.size == 1 ? "true" : "false") +
           ";\n  static __device__ float apply(float v, float r) { return " + apply + "; }\n};\n";
  }
  std::string source() const {
    const Config& c = config;
    std::ostringstream out;
    out << "#include \"" << (c.large ? "conv_large.cuh" : "conv_small.cuh") << "\"\n" << program_text();
    out << "using Chosen = " << (c.large ? "LargeConv<" : "SmallConv<") << type.element << ", " << type.result << ", ";
    if (c.large) out << c.warp_rows << ", ";
    out << c.columns << ", " << c.block_bytes << ", " << c.stages << ", ";
    if (c.large)
      out << (c.ping_pong ? "true, " : "false, ") << c.cluster;
    else
      out << c.split;
    out << ", " << c.group << ", " << (image() ? "true" : "false") << ">;\n";
    out << (c.large ? "PLANISH_CONV_LARGE" : "PLANISH_CONV_SMALL") << "(kernel, Chosen, Program)\n";
    return out.str();
  }
  std::string check_source() const {
    return "#include \"cuda_kernels.cuh\"\n" + program_text() + "PLANISH_CHECKS(" + type.element + ", " + type.result +
           ")\n";
  }
};

constexpr int kSharedLimit = 232448;

// Channels in rows of weights that are permuted together: the most that divide the filters.
int group_of(const Layer& layer, const Type& type) {
  for (int group : {8, 4, 2, 1})
    if (layer.filters % (8 * group) == 0 && (type.result_size > 1 || group > 1)) return group;
  return 0;
}
int block_bytes_of(const Layer& layer, const Type& type) {
  const int bytes = layer.channels * type.size;
  return bytes % 128 == 0 || bytes > 128 ? 128 : bytes > 32 ? 64 : 32;
}

void add_small(std::vector<Job>& out, const Layer& layer, const Type& type) {
  const int group = group_of(layer, type), bytes = block_bytes_of(layer, type);
  const int depth = bytes / type.size, blocks = layer.taps * layer.taps * ((layer.channels + depth - 1) / depth);
  struct Row {
    int columns, stages, split;
  };
  for (Row r : {Row{16, 8, 1}, Row{32, 7, 1}, Row{32, 7, 2}, Row{32, 7, 4}, Row{32, 7, 8}, Row{32, 12, 8},
                Row{64, 5, 1}, Row{64, 5, 2}, Row{64, 5, 4}, Row{64, 5, 8}, Row{64, 5, 16}, Row{64, 12, 4},
                Row{80, 4, 1}, Row{128, 4, 1}, Row{128, 4, 4}}) {
    const int tiles = (layer.filters + r.columns - 1) / r.columns;
    if (blocks < r.split || r.columns > layer.filters || tiles * r.columns > layer.filters) continue;
    if (r.columns == 16 && layer.filters != 16) continue;
    if (r.columns == 80 && layer.filters != 80) continue;
    if (r.columns / 8 < group && group % (r.columns / 8) != 0) continue;
    if ((layer.rows() + 63) / 64 * tiles * r.split > 1500) continue;
    const Config config{false, 0, r.columns, bytes, r.stages, r.split, false, 1, group};
    if (config.shared(type) <= kSharedLimit) out.push_back({&layer, type, config});
  }
}

void add_large(std::vector<Job>& out, const Layer& layer, const Type& type) {
  const int group = group_of(layer, type), bytes = block_bytes_of(layer, type);
  struct Row {
    int warp_rows, columns, stages;
    bool ping_pong;
    int cluster;
  };
  for (Row r :
       {Row{128, 128, 5, true, 1}, Row{128, 128, 5, true, 2}, Row{64, 128, 6, false, 1}, Row{64, 128, 6, false, 2},
        Row{128, 128, 3, false, 1}, Row{128, 128, 3, false, 2}, Row{64, 256, 3, false, 1}, Row{64, 256, 3, false, 2},
        Row{64, 256, 4, true, 1}, Row{64, 256, 4, true, 2}, Row{128, 64, 7, true, 1}, Row{128, 64, 4, false, 1},
        Row{128, 192, 3, false, 1}, Row{64, 192, 4, false, 1}, Row{64, 192, 4, false, 2}, Row{64, 64, 8, true, 1},
        Row{64, 128, 7, true, 1}}) {
    const int tiles = (layer.filters + r.columns - 1) / r.columns;
    if (r.columns > layer.filters || tiles * r.columns > layer.filters || r.columns % (8 * group) != 0) continue;
    if (layer.filters >= 128 && r.columns == 64) continue;
    const Config config{true, r.warp_rows, r.columns, bytes, r.stages, 1, r.ping_pong, r.cluster, group};
    if (config.shared(type) <= kSharedLimit) out.push_back({&layer, type, config});
  }
}

std::vector<Job> jobs(const std::vector<Layer>& all) {
  std::vector<Job> out;
  for (const Layer& layer : all) {
    if (layer.group == "types") {
      for (const Type& type : {kBfloat, kTf32, kInt8, kHalfOut32}) {
        add_small(out, layer, type);
        add_large(out, layer, type);
      }
    } else if (layer.group == "rn50-b128-s8") {
      add_large(out, layer, kInt8);
    } else {
      if (layer.rows() * layer.filters <= int64_t{1} << 23) add_small(out, layer, kHalf);
      if (layer.group != "rn50-b1") add_large(out, layer, kHalf);
    }
  }
  return out;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// ---- compile ----
int compile_all(const std::string& folder) {
  const std::string checks = read_file(PLANISH_CHECKS_FILE);
  std::vector<cuda::SourceFile> headers = {{"cuda_kernels.cuh", checks}};
  for (const CudaSource& source : cuda_sources()) headers.push_back({source.name, source.text});

  const std::vector<Layer> all = layers();
  std::map<std::string, std::string> sources;
  for (const Job& job : jobs(all)) {
    sources[job.image_name()] = job.source();
    sources["check_" + job.program()] = job.check_source();
  }
  std::filesystem::create_directories(folder);
  std::vector<std::pair<std::string, std::string>> work(sources.begin(), sources.end());
  std::atomic<size_t> next{0}, failed{0};
  auto worker = [&] {
    const std::vector<std::string> options = {"-std=c++17", "-default-device", "-DPLANISH_WATCHDOG",
                                              "--ptxas-options=-v"};
    for (size_t i; (i = next++) < work.size();) {
      const std::string path = folder + "/" + work[i].first;
      try {
        const cuda::Image image = cuda::compile(work[i].second, work[i].first, headers, options, "sm_90a");
        std::ofstream(path + ".cubin", std::ios::binary) << image.cubin;
        if (work[i].first.rfind("check_", 0) != 0 &&
            image.log.find(" 0 bytes spill stores, 0 bytes spill loads") == std::string::npos)
          std::printf("%s: spills\n%s\n", work[i].first.c_str(), image.log.c_str());
        if (image.log.find("serialize") != std::string::npos || image.log.find("ignored") != std::string::npos)
          std::printf("%s:\n%s\n", work[i].first.c_str(), image.log.c_str());
      } catch (const std::exception& error) {
        failed++;
        std::printf("%s: %s\n", work[i].first.c_str(), error.what());
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); i++) threads.emplace_back(worker);
  for (std::thread& thread : threads) thread.join();
  std::printf("%zu images, %zu failed\n", work.size(), failed.load());
  return failed == 0 ? 0 : 1;
}

// ---- run ----
const cuda::Driver* api;
cuda::StreamHandle* stream;

void check(cuda::Result result, const char* what) {
  if (result == cuda::kSuccess) return;
  const char *name = "?", *text = "?";
  api->error_name(result, &name);
  api->error_text(result, &text);
  std::printf("error\t%s: %s (%s)\n", what, name, text);
  std::fflush(stdout);
  std::_Exit(1);
}
#define CHECK(call) check(api->call, #call)

class Buffer {
 public:
  explicit Buffer(int64_t bytes) { CHECK(allocate(&address, static_cast<size_t>(bytes) + 1024)); }
  Buffer(Buffer&& other) noexcept : address(other.address) { other.address = 0; }
  ~Buffer() {
    if (address != 0) api->release(address);
  }
  Address address = 0;
};

struct Launch {
  cuda::FunctionHandle* function;
  unsigned grid, threads, shared, cluster;
  std::vector<std::vector<char>> arguments;
  template <class A>
  void add(const A& a) {
    arguments.emplace_back(reinterpret_cast<const char*>(&a), reinterpret_cast<const char*>(&a) + sizeof a);
  }
  void operator()(bool dependent) {
    cuda::LaunchAttribute attributes[2] = {};
    unsigned count = 0;
    if (cluster > 1) {
      attributes[count].id = cuda::LaunchAttributeId::cluster_dimension;
      attributes[count++].value.cluster = {cluster, 1, 1};
    }
    if (dependent) {
      attributes[count].id = cuda::LaunchAttributeId::programmatic_stream_serialization;
      attributes[count++].value.programmatic_stream_serialization = 1;
    }
    const cuda::LaunchConfig config{grid, 1, 1, threads, 1, 1, shared, stream, attributes, count};
    std::vector<void*> pointers;
    for (auto& argument : arguments) pointers.push_back(argument.data());
    CHECK(launch(&config, function, pointers.data(), nullptr));
  }
};

class Module {
 public:
  explicit Module(const std::string& path) : text_(read_file(path)) {
    if (text_.empty()) check(301, path.c_str());
    CHECK(module_load(&module_, text_.c_str()));
  }
  ~Module() { api->module_unload(module_); }
  cuda::FunctionHandle* function(const char* name) {
    cuda::FunctionHandle* out = nullptr;
    CHECK(module_function(&out, module_, name));
    return out;
  }

 private:
  std::string text_;
  cuda::ModuleHandle* module_ = nullptr;
};

template <class... A>
void launch_plain(cuda::FunctionHandle* function, unsigned grid, const A&... arguments) {
  Launch launch{function, grid, 256, 0, 1, {}};
  (launch.add(arguments), ...);
  launch(false);
}

// As in kernels/cuda/convolution.cuh and bench/cuda_kernels.cuh.
struct ConvShape {
  int rows, columns, column_tiles, blocks, blocks_per_tap, taps_w, out_w, out_pixels;
  int stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, result_pitch, residual_pitch;
};
struct CheckShape {
  int images, height, width, channels, filters, taps_h, taps_w, stride, pad, out_h, out_w;
};

int swizzle(int row_bytes) { return row_bytes == 128 ? 3 : row_bytes == 64 ? 2 : 1; }

cuda::TensorMap map_matrix(Address base, int type, int size, int64_t rows, int64_t columns, int box_rows,
                           int box_bytes) {
  cuda::TensorMap map;
  const uint64_t extents[2] = {static_cast<uint64_t>(columns), static_cast<uint64_t>(rows)};
  const uint64_t pitch[1] = {static_cast<uint64_t>(columns * size)};
  const uint32_t box[2] = {static_cast<uint32_t>(box_bytes / size), static_cast<uint32_t>(box_rows)}, steps[2] = {1, 1};
  CHECK(encode_tiled(&map, type, 2, reinterpret_cast<void*>(base), extents, pitch, box, steps, 0, swizzle(box_bytes), 3,
                     0));
  return map;
}
cuda::TensorMap map_image(Address base, const Type& type, const Layer& s, int box_pixels, int box_bytes) {
  cuda::TensorMap map;
  const uint64_t c = s.channels, w = s.width, h = s.height, n = s.images, size = type.size;
  const uint64_t extents[4] = {c, w, h, n}, pitch[3] = {c * size, w * c * size, h * w * c * size};
  const int lower[2] = {-s.pad, -s.pad}, upper[2] = {s.pad - (s.taps - 1), s.pad - (s.taps - 1)};
  const auto stride = static_cast<uint32_t>(s.stride);
  const uint32_t steps[4] = {1, stride, stride, 1};
  CHECK(encode_im2col(&map, type.map_type, 4, reinterpret_cast<void*>(base), extents, pitch, lower, upper,
                      static_cast<uint32_t>(box_bytes / type.size), static_cast<uint32_t>(box_pixels), steps, 0,
                      swizzle(box_bytes), 3, 0));
  return map;
}

// Data of a layer: random in sets that together do not fit L2, and integers once.
class Data {
 public:
  Data(const std::string& folder, const Job& job)
      : layer_(*job.layer),
        type_(job.type),
        checks_(folder + "/check_" + job.program() + ".cubin"),
        weights_(layer_.weights() * type_.size),
        weights_int_(layer_.weights() * type_.size),
        bias_(layer_.filters * 4),
        bias_int_(layer_.filters * 4),
        scale_(layer_.filters * 4),
        scale_int_(layer_.filters * 4),
        expected_(layer_.output() * type_.result_size),
        expected_int_(layer_.output() * type_.result_size),
        packed_(2 * (layer_.weights() + layer_.filters * layer_.taps * layer_.taps * 128 / type_.size) * type_.size +
                65536),
        verdict_(24) {
    const double bytes = layer_.bytes(type_.size);
    sets = bytes < 8e6 ? 1 : static_cast<int>(std::clamp(300e6 / bytes + 1, 2.0, 10.0));
    const bool bytes_only = type_.size == 1;
    const double depth = static_cast<double>(layer_.weights()) / layer_.filters;
    for (int i = 0; i <= sets; i++) {  // the last one: integers
      inputs_.emplace_back(layer_.input() * type_.size);
      residuals_.emplace_back(layer_.residual ? layer_.output() * type_.result_size : 4);
      results_.emplace_back(layer_.output() * type_.result_size);
      const bool integers = i == sets || bytes_only;
      const float limit = i == sets ? 2.0f : bytes_only ? 90.0f : 1.0f;
      fill("fill_left", inputs_[i], layer_.input(), 10 + i, -limit, limit, integers);
      if (layer_.residual) fill("fill_out", residuals_[i], layer_.output(), 40 + i, -limit, limit, integers);
    }
    const float weight = bytes_only ? 60.0f : static_cast<float>(std::sqrt(3.0 / depth));
    fill("fill_left", weights_, layer_.weights(), 1, -weight, weight, bytes_only);
    fill("fill_left", weights_int_, layer_.weights(), 2, -1, 1, true);
    fill("fill_float", bias_, layer_.filters, 3, bytes_only ? -20.0f : -0.5f, bytes_only ? 20.0f : 0.5f, false);
    fill("fill_float", bias_int_, layer_.filters, 4, -4, 4, true);
    const float step = static_cast<float>(1 / (50 * std::sqrt(depth)));
    fill("fill_float", scale_, layer_.filters, 5, 0.5f * step, step, false);
    fill("fill_float", scale_int_, layer_.filters, 6, 1, 2, true);
    plain(0, weights_, bias_, scale_, expected_);
    plain(sets, weights_int_, bias_int_, scale_int_, expected_int_);
    CHECK(stream_synchronize(stream));
  }

  void pack(const Config& c, int padded) {
    for (bool integers : {false, true})
      launch_plain(checks_.function("pack_weights"), 1056, packed(integers, c, padded),
                   (integers ? weights_int_ : weights_).address, shape(), c.group, padded);
  }
  Address packed(bool integers, const Config& c, int padded) const {
    const int64_t rows = (layer_.filters + 8 * c.group - 1) / (8 * c.group) * (8 * c.group);
    const int64_t bytes = rows * layer_.taps * layer_.taps * padded * type_.size;
    return packed_.address + (integers ? static_cast<Address>((bytes + 1023) / 1024 * 1024) : 0);
  }
  void poison(int set) {
    CHECK(set_bytes(results_[set].address, 0xff, static_cast<size_t>(layer_.output() * type_.result_size), stream));
  }
  // Wrong values, relative error.
  std::pair<int64_t, double> compare(int set) {
    const bool integers = set == sets, exact = integers || type_.size == 1;
    CHECK(set_bytes(verdict_.address, 0, 24, stream));
    launch_plain(checks_.function("compare_out"), 528, results_[set].address,
                 (integers ? expected_int_ : expected_).address, layer_.output(), exact ? 0.0f : 4e-3f,
                 exact                    ? 0.0f
                 : type_.result_size == 4 ? 2e-3f
                 : type_.map_type == 9    ? 1.2e-2f
                                          : 2e-3f,
                 verdict_.address);
    double found[3];
    CHECK(copy_to_host(found, verdict_.address, 24, stream));
    CHECK(stream_synchronize(stream));
    return {static_cast<int64_t>(found[2]), std::sqrt(found[0] / (found[1] + 1e-30))};
  }

  int sets = 1;
  Address input(int i) const { return inputs_[i].address; }
  Address result(int i) const { return results_[i].address; }
  Address residual(int i) const { return residuals_[i].address; }
  Address bias(int i) const { return (i == sets ? bias_int_ : bias_).address; }
  Address scale(int i) const { return (i == sets ? scale_int_ : scale_).address; }

 private:
  CheckShape shape() const {
    const Layer& s = layer_;
    return {s.images, s.height, s.width, s.channels, s.filters, s.taps, s.taps, s.stride, s.pad, s.out_h(), s.out_w()};
  }
  void fill(const char* kernel, const Buffer& to, int64_t count, uint64_t seed, float low, float high, int integers) {
    launch_plain(checks_.function(kernel), 1056, to.address, count, seed, low, high, integers);
  }
  void plain(int set, const Buffer& w, const Buffer& bias, const Buffer& scale, const Buffer& y) {
    launch_plain(checks_.function("plain"), 4224, inputs_[set].address, w.address, bias.address, scale.address,
                 residuals_[set].address, y.address, shape());
  }

  const Layer& layer_;
  Type type_;
  Module checks_;
  std::vector<Buffer> inputs_, residuals_, results_;
  Buffer weights_, weights_int_, bias_, bias_int_, scale_, scale_int_, expected_, expected_int_, packed_, verdict_;
};

std::vector<Launch> prepare(const Job& job, Data& data, cuda::FunctionHandle* function, int processors) {
  const Layer& s = *job.layer;
  const Config& c = job.config;
  const Type& t = job.type;
  const int depth = c.block_bytes / t.size, per_tap = (s.channels + depth - 1) / depth, taps = s.taps * s.taps;
  data.pack(c, per_tap * depth);
  ConvShape p{};
  p.rows = static_cast<int>(s.rows()), p.columns = s.filters, p.column_tiles = (s.filters + c.columns - 1) / c.columns;
  p.blocks = taps * per_tap, p.blocks_per_tap = per_tap, p.taps_w = s.taps, p.out_w = s.out_w();
  p.out_pixels = s.out_h() * s.out_w(), p.stride_h = p.stride_w = s.stride, p.pad_h = p.pad_w = s.pad;
  p.dilation_h = p.dilation_w = 1, p.result_pitch = p.residual_pitch = s.filters;
  const int row_tiles = (p.rows + c.rows() - 1) / c.rows();
  std::vector<Launch> out;
  for (int i = 0; i <= data.sets; i++) {
    Launch launch{function,
                  0,
                  c.large ? 384u : 160u,
                  static_cast<unsigned>(c.shared(t)),
                  static_cast<unsigned>(c.large ? c.cluster : c.split),
                  {}};
    launch.add(job.image()
                   ? map_image(data.input(i), t, s, c.rows(), c.block_bytes)
                   : map_matrix(data.input(i), t.map_type, t.size, p.rows, s.channels, c.rows(), c.block_bytes));
    launch.add(map_matrix(data.packed(i == data.sets, c, per_tap * depth), t.map_type, t.size,
                          (s.filters + 8 * c.group - 1) / (8 * c.group) * (8 * c.group), taps * per_tap * depth,
                          c.columns / c.cluster, c.block_bytes));
    if (c.large) {
      for (Address to : {data.result(i), s.residual ? data.residual(i) : data.result(i)})
        launch.add(map_matrix(to, t.result_map_type, t.result_size, p.rows, s.filters, c.warp_rows, c.panel(t)));
      launch.add(data.bias(i));
      launch.add(data.scale(i));
      const int pairs = (row_tiles + c.cluster - 1) / c.cluster * p.column_tiles;
      launch.grid = static_cast<unsigned>(c.cluster * std::min(processors / c.cluster, pairs));
    } else {
      launch.add(data.result(i));
      launch.add(data.bias(i));
      launch.add(data.scale(i));
      launch.add(data.residual(i));
      launch.grid = static_cast<unsigned>(row_tiles * p.column_tiles * c.split);
    }
    launch.add(p);
    out.push_back(std::move(launch));
  }
  return out;
}

// Median over replays of a graph of `calls` launches, µs a launch.
double replay(std::vector<Launch>& launches, int sets, int calls, bool dependent) {
  cuda::GraphHandle* graph = nullptr;
  cuda::GraphExecHandle* exec = nullptr;
  CHECK(begin_capture(stream, cuda::kCaptureThreadLocal));
  for (int i = 0; i < calls; i++) launches[i % sets](dependent);
  CHECK(end_capture(stream, &graph));
  CHECK(graph_instantiate(&exec, graph, 0));
  cuda::EventHandle *from = nullptr, *to = nullptr;
  CHECK(event_create(&from, 0));
  CHECK(event_create(&to, 0));
  std::vector<float> times;
  for (int i = 0; i < 11; i++) {
    CHECK(event_record(from, stream));
    CHECK(graph_launch(exec, stream));
    CHECK(event_record(to, stream));
    CHECK(event_synchronize(to));
    float ms = 0;
    CHECK(event_elapsed(&ms, from, to));
    if (i >= 2) times.push_back(ms);
  }
  api->event_destroy(from);
  api->event_destroy(to);
  api->graph_exec_destroy(exec);
  api->graph_destroy(graph);
  std::sort(times.begin(), times.end());
  return times[times.size() / 2] * 1e3 / calls;
}

void run_job(size_t index, const Job& job, Data& data, const std::string& folder, int processors) {
  Module module(folder + "/" + job.image_name() + ".cubin");
  cuda::FunctionHandle* function = module.function("kernel");
  CHECK(set_function_attribute(function, cuda::FunctionAttribute::max_dynamic_shared, job.config.shared(job.type)));
  if (job.config.split > 8) CHECK(set_function_attribute(function, static_cast<cuda::FunctionAttribute>(14), 1));
  std::vector<Launch> launches = prepare(job, data, function, processors);
  std::pair<int64_t, double> exact, close, dependent;
  for (int set : {data.sets, 0}) {
    data.poison(set);
    launches[set](false);
    CHECK(stream_synchronize(stream));
    (set == 0 ? close : exact) = data.compare(set);
  }
  // Twice in a row over one result, with edges that overlap.
  data.poison(0);
  for (int i = 0; i < 3; i++) launches[0](true);
  CHECK(stream_synchronize(stream));
  dependent = data.compare(0);
  double plain = 0, pdl = 0;
  if (exact.first == 0 && close.first == 0 && dependent.first == 0) {
    const int calls = data.sets == 1 ? 64 : std::max(2 * data.sets, 8) / data.sets * data.sets;
    plain = replay(launches, data.sets, calls, false);
    pdl = replay(launches, data.sets, calls, true);
  }
  std::printf("done\t%zu\t%lld\t%lld\t%lld\t%.3e\t%.3f\t%.3f\t%u\n", index, static_cast<long long>(exact.first),
              static_cast<long long>(close.first), static_cast<long long>(dependent.first), close.second, plain, pdl,
              launches[0].grid);
  std::fflush(stdout);
}

int run_child(const std::string& folder, size_t from, const std::set<std::string>& groups) {
  if (cuda::driver().driver == nullptr) {
    std::printf("error\t%s\n", cuda::driver().reason.c_str());
    return 2;
  }
  api = cuda::driver().driver;
  cuda::ContextHandle* context = nullptr;
  CHECK(primary_retain(&context, 0));
  CHECK(context_push(context));
  CHECK(stream_create(&stream, cuda::kStreamNonBlocking));
  int processors = 0;
  CHECK(device_attribute(&processors, cuda::DeviceAttribute::multiprocessors, 0));
  const std::vector<Layer> all = layers();
  const std::vector<Job> list = jobs(all);
  std::unique_ptr<Data> data;
  std::string key;
  for (size_t i = from; i < list.size(); i++) {
    const Job& job = list[i];
    if (groups.count(job.layer->group) == 0) continue;
    std::printf("start\t%zu\n", i);
    std::fflush(stdout);
    const std::string wanted = job.layer->group + job.layer->name + job.type.key;
    if (wanted != key) {
      data.reset();
      data = std::make_unique<Data>(folder, job);
      key = wanted;
    }
    run_job(i, job, *data, folder, processors);
  }
  std::printf("end\n");
  std::fflush(stdout);
  std::_Exit(0);
}

struct Outcome {
  bool right = false;
  double plain = 0, dependent = 0, error = 0;
};

// Best configuration of a layer, or what went wrong with it.
class Table {
 public:
  explicit Table(const std::vector<Job>& list) : list_(list) {}
  void add(size_t index, const Outcome& outcome) {
    const Job& job = list_[index];
    const std::string key = job.layer->group + "\t" + job.layer->name + "\t" + job.type.key;
    if (rows_.count(key) == 0) order_.push_back(key);
    Row& row = rows_[key];
    row.tried++;
    row.right += outcome.right;
    if (!outcome.right) return;
    if (row.best == nullptr || outcome.dependent < row.outcome.dependent) row.best = &job, row.outcome = outcome;
    if (row.plain_best == 0 || outcome.plain < row.plain_best) row.plain_best = outcome.plain;
  }
  void print() {
    std::map<std::string, std::array<double, 3>> sums;
    std::printf("\n%-14s %-22s %-6s %-22s %5s %8s %8s %8s %6s %8s %8s %s\n", "group", "layer", "type", "best", "right",
                "plain", "dependent", "TFLOP/s", "roof", "cuDNN", "fused", "rel.err");
    for (const std::string& key : order_) {
      const Row& row = rows_[key];
      if (row.best == nullptr) {
        std::printf("%s: none of %d right\n", key.c_str(), row.tried);
        continue;
      }
      const Layer& layer = *row.best->layer;
      const int size = row.best->type.size;
      const double us = std::min(row.outcome.dependent, row.outcome.plain);
      const double rate = size == 1 ? 1500e6 : size == 4 ? 395e6 : 790e6;
      const double roof = std::max(layer.flops() / rate, layer.bytes(size) / 4.3e6);
      std::printf("%-14s %-22s %-6s %-22s %2d/%-2d %8.2f %8.2f %8.0f %5.0f%% %8.2f %8.2f %.1e\n", layer.group.c_str(),
                  layer.name.c_str(), row.best->type.key, row.best->config.text().c_str(), row.right, row.tried,
                  row.plain_best, row.outcome.dependent, layer.flops() / us * 1e-6, 100 * roof / us, layer.library,
                  layer.fused, row.outcome.error);
      auto& sum = sums[layer.group + " " + row.best->type.key];
      sum[0] += row.plain_best * layer.count, sum[1] += us * layer.count, sum[2] += roof * layer.count;
    }
    for (const auto& [group, sum] : sums)
      std::printf("sum %-20s plain %.1f us, dependent %.1f us, roofline %.1f us\n", group.c_str(), sum[0], sum[1],
                  sum[2]);
    std::fflush(stdout);
  }

 private:
  struct Row {
    const Job* best = nullptr;
    Outcome outcome;
    double plain_best = 0;
    int tried = 0, right = 0;
  };
  const std::vector<Job>& list_;
  std::map<std::string, Row> rows_;
  std::vector<std::string> order_;
};

// Runs a child from job `from` on; the job to go on with, or npos when it came to the end.
size_t watch_child(const char* self, const std::string& folder, size_t from, const std::vector<std::string>& groups,
                   const std::vector<Job>& list, Table& table, FILE* log) {
  int ends[2];
  if (pipe(ends) != 0) return std::string::npos;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  std::vector<std::string> words = {self, "child", folder, std::to_string(from)};
  words.insert(words.end(), groups.begin(), groups.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  const int spawned = posix_spawn(&child, self, &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (spawned != 0) return std::string::npos;
  size_t current = from;
  bool ended = false;
  std::string pending, trouble;
  for (;;) {
    pollfd wait{ends[0], POLLIN, 0};
    if (poll(&wait, 1, 30000) <= 0) {
      trouble = "nothing for 30 s";
      kill(child, SIGKILL);
      break;
    }
    char block[4096];
    const ssize_t got = read(ends[0], block, sizeof block);
    if (got <= 0) break;
    pending.append(block, static_cast<size_t>(got));
    for (size_t end; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
      const std::string line = pending.substr(0, end);
      size_t index = 0;
      long long exact = 0, close_ = 0, dependent_bad = 0;
      Outcome o;
      unsigned grid = 0;
      if (std::sscanf(line.c_str(), "start\t%zu", &index) == 1) {
        current = index;
      } else if (std::sscanf(line.c_str(), "done\t%zu\t%lld\t%lld\t%lld\t%lf\t%lf\t%lf\t%u", &index, &exact, &close_,
                             &dependent_bad, &o.error, &o.plain, &o.dependent, &grid) == 8) {
        o.right = exact == 0 && close_ == 0 && dependent_bad == 0;
        const Job& job = list[index];
        std::fprintf(log, "%s\t%s\t%s\t%s\t%u\t%.3f\t%.3f\t%.2e\t%lld\t%lld\t%lld\n", job.layer->group.c_str(),
                     job.layer->name.c_str(), job.type.key, job.config.text().c_str(), grid, o.plain, o.dependent,
                     o.error, exact, close_, dependent_bad);
        std::fflush(log);
        if (!o.right)
          std::printf("WRONG %s %s %s: %lld integers, %lld values, %lld in a chain of %lld, relative error %.1e\n",
                      job.layer->name.c_str(), job.image_name().c_str(), job.config.text().c_str(), exact, close_,
                      dependent_bad, static_cast<long long>(job.layer->output()), o.error);
        table.add(index, o);
        current = index + 1;
      } else if (line == "end") {
        ended = true;
      } else {
        trouble += line + " ";
      }
    }
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (ended) return std::string::npos;
  if (current < list.size()) {
    std::printf("FAILED %s %s: %s\n", list[current].layer->name.c_str(), list[current].image_name().c_str(),
                trouble.c_str());
    std::fflush(stdout);
    table.add(current, {});
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) return std::string::npos;
  return current + 1;
}

int run_all(const char* self, const std::string& folder, std::vector<std::string> groups) {
  if (groups.empty()) groups.assign(std::begin(kGroups), std::end(kGroups));
  const char* out = std::getenv("OUT");
  const std::vector<Layer> all = layers();
  const std::vector<Job> list = jobs(all);
  for (const std::string& group : groups) {  // a table a group, so that an end by time limit leaves the first ones
    FILE* log = std::fopen((std::string(out != nullptr ? out : ".") + "/cuda_kernels_" + group + ".tsv").c_str(), "w");
    if (log == nullptr) return 1;
    Table table(list);
    int failures = 0;
    for (size_t from = 0; from != std::string::npos && failures < 12; failures++)
      from = watch_child(self, folder, from, {group}, list, table, log);
    table.print();
    std::fclose(log);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 2 && words[0] == "compile") return compile_all(words[1]);
  if (words.size() >= 2 && words[0] == "run") return run_all(argv[0], words[1], {words.begin() + 2, words.end()});
  if (words.size() >= 3 && words[0] == "child")
    return run_child(words[1], std::stoul(words[2]), {words.begin() + 3, words.end()});
  std::fprintf(stderr, "usage: %s compile FOLDER | run FOLDER [GROUP...]\n", argv[0]);
  return 2;
}
