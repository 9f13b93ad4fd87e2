// The attention kernel of kernels/cuda: every value against the formula, and times of graphs.
//   bench_cuda_attention      on a GPU; needs NVRTC
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "cuda_kernels/device.h"
#include "device/cuda/nvrtc.h"
#include "kernels/cuda/sources.h"

namespace {

using namespace planish;
using namespace planish::kernel_bench;

struct Case {
  const char* name;
  int batches, heads, key_heads, queries, keys, width, mask;  // mask: 0 none, 1 causal, 2 addends a key
  const char* type;
  double library, flash;  // through torch on an H200: TFLOP/s at large batches, µs at batch 1
};
const Case kCases[] = {
    {"bert s128 b1", 1, 12, 12, 128, 128, 64, 2, "half_t", 0, 0},
    {"bert s384 b1", 1, 12, 12, 384, 384, 64, 2, "half_t", 8.1, 12.0},
    {"bert s128 b128", 128, 12, 12, 128, 128, 64, 2, "half_t", 215, 140},
    {"bert s384 b32", 32, 12, 12, 384, 384, 64, 2, "half_t", 333, 234},
    {"vit b1", 1, 12, 12, 197, 197, 64, 0, "half_t", 7.5, 8.6},
    {"vit b128", 128, 12, 12, 197, 197, 64, 0, "half_t", 176, 127},
    {"4096 b2", 2, 16, 16, 4096, 4096, 128, 0, "half_t", 471, 283},
    {"4096 b2 causal", 2, 16, 16, 4096, 4096, 128, 1, "bfloat_t", 0, 0},
    {"grouped 1024", 2, 32, 8, 1024, 1024, 128, 1, "half_t", 0, 0},
    {"odd 77 of 50", 3, 5, 5, 77, 50, 32, 0, "half_t", 0, 0},
    {"odd 65 of 65", 2, 3, 3, 65, 65, 40, 0, "half_t", 0, 0},
    {"odd 33 of 300", 2, 3, 3, 33, 300, 96, 2, "bfloat_t", 0, 0},
    {"one of 513", 4, 8, 8, 1, 513, 64, 1, "half_t", 0, 0},
};

// As in kernels/cuda/flash_attention.cuh.
struct AttentionPlace {
  int64_t batch, head, row, element;
};
struct AttentionShape {
  int queries, keys, width, heads_per_key_head, causal_offset;
  float scale;
  AttentionPlace query, key, value, result, mask, second;
};

AttentionShape shape_of(const Case& c) {
  const int64_t w = c.width, q_row = c.heads * w, k_row = c.key_heads * w;
  AttentionShape p{};
  p.queries = c.queries, p.keys = c.keys, p.width = c.width, p.heads_per_key_head = c.heads / c.key_heads;
  p.causal_offset = c.keys - c.queries, p.scale = 1 / std::sqrt(static_cast<float>(c.width));
  p.query = p.result = {c.queries * q_row, w, q_row, 1};
  p.key = p.value = {c.keys * k_row, w, k_row, 1};
  p.mask = {c.keys, 0, 0, 1};
  return p;
}

std::string image_of(const std::string& source, const std::string& check_files) {
  const std::string checks = read_file(check_files + "/checks.cuh");
  const std::string attend = read_file(check_files + "/attention_check.cuh");
  std::vector<cuda::SourceFile> headers = {{"checks.cuh", checks}, {"attention_check.cuh", attend}};
  for (const CudaSource& file : cuda_sources()) headers.push_back({file.name, file.text});
  const std::vector<std::string> options = {"-std=c++17", "-default-device"};
  return cuda::compile(source, "attention", headers, options, "sm_90a").cubin;
}

struct Buffers {
  Buffer q, k, v, mask, out, expected, verdict{24};
  explicit Buffers(const Case& c)
      : q(2 * rows(c)),
        k(2 * keys(c)),
        v(2 * keys(c)),
        mask(2 * int64_t{c.batches} * c.keys),
        out(2 * rows(c)),
        expected(2 * rows(c)) {}
  static int64_t rows(const Case& c) { return int64_t{c.batches} * c.queries * c.heads * c.width; }
  static int64_t keys(const Case& c) { return int64_t{c.batches} * c.keys * c.key_heads * c.width; }
};

void expect(const Case& c, Buffers& b, Module& checks) {
  const auto fill = [&](const Buffer& to, int64_t count, uint64_t seed, float limit) {
    launch_plain(checks.function("fill_random"), 528, to.address, count, seed, -limit, limit, 0);
  };
  fill(b.q, Buffers::rows(c), 1, 2), fill(b.k, Buffers::keys(c), 2, 2), fill(b.v, Buffers::keys(c), 3, 1);
  fill(b.mask, int64_t{c.batches} * c.keys, 4, 3);
  Launch plain{
      checks.function("attend_plain"), static_cast<unsigned>(c.queries), 128, static_cast<unsigned>(c.keys * 4), 1, {}};
  plain.grid_y = static_cast<unsigned>(c.heads), plain.grid_z = static_cast<unsigned>(c.batches);
  for (Address at : {b.q.address, b.k.address, b.v.address, b.mask.address, b.expected.address}) plain.add(at);
  plain.add(shape_of(c));
  plain.add(c.mask);
  plain.add(c.width);
  plain(false);
  CHECK(stream_synchronize(stream));
}

std::array<double, 3> compare(const Case& c, Buffers& b, Module& checks) {
  const bool coarse = std::string(c.type) == "bfloat_t";
  CHECK(set_bytes(b.verdict.address, 0, 24, stream));
  launch_plain(checks.function("compare_out"), 528, b.out.address, b.expected.address, Buffers::rows(c),
               coarse ? 8e-3f : 1e-3f, coarse ? 2e-2f : 4e-3f, b.verdict.address);
  std::array<double, 3> found;
  CHECK(copy_to_host(found.data(), b.verdict.address, 24, stream));
  CHECK(stream_synchronize(stream));
  return found;
}

bool run_case(const Case& c, const std::string& files) {
  const std::string type = c.type;
  Module checks(image_of("#include \"attention_check.cuh\"\nPLANISH_ATTENTION_CHECKS(" + type + ")\n", files), true);
  Buffers b(c);
  expect(c, b, checks);
  const int head = (c.width + 31) / 32 * 32;
  bool right = true;
  for (int warps : {4, 8}) {
    char chosen[80];
    std::snprintf(chosen, sizeof chosen, "Attention<%s, %d, %d, %d>", c.type, head, warps, c.mask);
    Module module(image_of(std::string("#include \"flash_attention.cuh\"\nusing Chosen = ") + chosen +
                               ";\nPLANISH_ATTENTION_KERNEL(kernel, Chosen)\n",
                           files),
                  true);
    const int pitch = head * 2 + 16, shared = (16 * warps + 4 * 64) * pitch;
    Launch launch{module.function("kernel"),
                  static_cast<unsigned>((c.queries + 16 * warps - 1) / (16 * warps)),
                  static_cast<unsigned>(32 * warps),
                  static_cast<unsigned>(shared),
                  1,
                  {}};
    launch.grid_y = static_cast<unsigned>(c.heads), launch.grid_z = static_cast<unsigned>(c.batches);
    for (Address at : {b.q.address, b.k.address, b.v.address, b.mask.address, b.out.address}) launch.add(at);
    launch.add(shape_of(c));
    CHECK(set_function_attribute(launch.function, cuda::FunctionAttribute::max_dynamic_shared, shared));
    CHECK(set_bytes(b.out.address, 0xff, static_cast<size_t>(2 * Buffers::rows(c)), stream));
    launch(false);
    const std::array<double, 3> found = compare(c, b, checks);
    right &= found[2] == 0;
    std::vector<Launch> one = {launch};
    const double us = replay(one, 1, 16, true);
    const double flops = 4.0 * c.batches * c.heads * c.queries * c.keys * c.width * (c.mask == 1 ? 0.5 : 1);
    std::printf("%-16s %-32s %8.2f us %7.0f TFLOP/s  wrong %.0f  rel.err %.1e  cuDNN %.1f  flash %.1f\n", c.name,
                chosen, us, flops / us * 1e-6, found[2], std::sqrt(found[0] / (found[1] + 1e-30)), c.library, c.flash);
    std::fflush(stdout);
  }
  return right;
}

}  // namespace

int main(int argc, char** argv) {
  if (cuda::driver().driver == nullptr || !cuda::nvrtc_missing().empty()) {
    std::printf("%s%s\n", cuda::driver().reason.c_str(), cuda::nvrtc_missing().c_str());
    return 1;
  }
  api = cuda::driver().driver;
  cuda::ContextHandle* context = nullptr;
  CHECK(primary_retain(&context, 0));
  CHECK(context_push(context));
  CHECK(stream_create(&stream, cuda::kStreamNonBlocking));
  bool right = true;
  for (const Case& c : kCases) right &= run_case(c, argc > 1 ? argv[1] : PLANISH_CHECKS_FOLDER);
  return right ? 0 : 1;
}
