#pragma once
// The GPU as the benchmark uses it: buffers, images, launches, tensor maps, times of graphs.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "configs.h"
#include "device/cuda/driver.h"

namespace planish::kernel_bench {

using cuda::Address;

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline const cuda::Driver* api;
inline cuda::StreamHandle* stream;

inline void check(cuda::Result result, const char* what) {
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
  unsigned grid_y = 1, grid_z = 1;
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
    const cuda::LaunchConfig config{grid, grid_y, grid_z, threads, 1, 1, shared, stream, attributes, count};
    std::vector<void*> pointers;
    for (auto& argument : arguments) pointers.push_back(argument.data());
    CHECK(launch(&config, function, pointers.data(), nullptr));
  }
};

class Module {
 public:
  // An image, or the file that has it.
  explicit Module(const std::string& text, bool is_image = false) : text_(is_image ? text : read_file(text)) {
    if (text_.empty()) check(301, text.c_str());
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

inline int swizzle(int row_bytes) { return row_bytes == 128 ? 3 : row_bytes == 64 ? 2 : 1; }

inline cuda::TensorMap map_matrix(Address base, int type, int size, int64_t rows, int64_t columns, int box_rows,
                                  int box_bytes) {
  cuda::TensorMap map;
  const uint64_t extents[2] = {static_cast<uint64_t>(columns), static_cast<uint64_t>(rows)};
  const uint64_t pitch[1] = {static_cast<uint64_t>(columns * size)};
  const uint32_t box[2] = {static_cast<uint32_t>(box_bytes / size), static_cast<uint32_t>(box_rows)}, steps[2] = {1, 1};
  CHECK(encode_tiled(&map, type, 2, reinterpret_cast<void*>(base), extents, pitch, box, steps, 0, swizzle(box_bytes), 3,
                     0));
  return map;
}
inline cuda::TensorMap map_image(cuda::Address base, const Type& type, const Layer& s, int box_pixels, int box_bytes) {
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

// Median over replays of a graph of `calls` launches, µs a launch.
inline double replay(std::vector<Launch>& launches, int sets, int calls, bool dependent) {
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

}  // namespace planish::kernel_bench
