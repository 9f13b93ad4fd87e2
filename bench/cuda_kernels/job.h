#pragma once
// One configuration for one layer: launches, the comparison, the times.

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "data.h"

namespace planish::kernel_bench {

// As in kernels/cuda/convolution.cuh and conv_general.cuh.
struct ConvShape {
  int rows, columns, column_tiles, blocks, blocks_per_tap, taps_w, out_w, out_pixels;
  int stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, result_pitch, residual_pitch;
};
struct GeneralShape {
  int rows, columns, column_tiles, blocks_per_tap, channels;
  int taps[3], extents[3], out_extents[3], strides[3], pads[3], dilations[3];
  int pixel_pitch, result_pitch, residual_pitch, weight_rows;
};

struct DepthwiseShape {
  int images, height, width, channels, out_h, out_w, pad_h, pad_w, pixel_pitch, result_pitch, residual_pitch;
};
struct FirstShape {
  int images, height, width, channels, filters, out_h, out_w, pad_h, pad_w, tiles_down, tiles_across;
  int result_pitch, residual_pitch;
  int64_t image_step, line_step, pixel_step, channel_step;
  float factor[4], addend[4];
};

// What is common to the launches of a job.
struct Plan {
  int depth = 0, per_tap = 0, weight_rows = 0, column_tiles = 0, row_tiles = 0;
  Plan(const Layer& s, const Config& c, const Type& t) {
    const int channels = s.channels / s.groups, filters = s.filters / s.groups, block = 8 * c.group;
    if (c.block_bytes == 0) return;  // packed in a form of its own
    depth = c.block_bytes / t.size, per_tap = (channels + depth - 1) / depth;
    weight_rows = (filters + block - 1) / block * block;
    column_tiles = (filters + c.columns - 1) / c.columns;
    row_tiles = static_cast<int>((s.rows() + c.tile_rows - 1) / c.tile_rows);
  }
  int padded() const { return per_tap * depth; }
};

inline Launch general_launch(const Job& job, const Plan& plan, Data& data, int i) {
  const Layer& s = *job.layer;
  GeneralShape p{};
  p.rows = static_cast<int>(s.rows()), p.columns = s.filters / s.groups, p.column_tiles = plan.column_tiles;
  p.blocks_per_tap = plan.per_tap, p.channels = s.channels / s.groups, p.weight_rows = plan.weight_rows;
  p.pixel_pitch = s.channels, p.result_pitch = p.residual_pitch = s.filters;
  for (int a = 0; a < 3; a++) {
    p.taps[a] = s.taps_of(a), p.extents[a] = s.extent(a), p.out_extents[a] = s.out(a);
    p.strides[a] = s.stride_of(a), p.pads[a] = s.pad_of(a), p.dilations[a] = s.dilation;
  }
  Launch launch{nullptr, 0, 0, 0, 1, {}};
  launch.grid = static_cast<unsigned>(plan.row_tiles * plan.column_tiles),
  launch.grid_y = static_cast<unsigned>(s.groups);
  for (Address at :
       {data.input(i), data.packed(i == data.sets), data.result(i), data.bias(i), data.scale(i), data.residual(i)})
    launch.add(at);
  launch.add(p);
  return launch;
}

inline Launch tiled_launch(const Job& job, const Plan& plan, Data& data, int i, int processors) {
  const Layer& s = *job.layer;
  const Config& c = job.config;
  const Type& t = job.type;
  ConvShape p{};
  p.rows = static_cast<int>(s.rows()), p.columns = s.filters, p.column_tiles = plan.column_tiles;
  p.blocks = s.all_taps() * plan.per_tap, p.blocks_per_tap = plan.per_tap, p.taps_w = s.taps, p.out_w = s.out_w();
  p.out_pixels = s.out_h() * s.out_w(), p.stride_h = p.stride_w = s.stride, p.pad_h = p.pad_w = s.pad;
  p.dilation_h = p.dilation_w = s.dilation, p.result_pitch = p.residual_pitch = s.filters;
  Launch launch{nullptr, 0, 0, 0, static_cast<unsigned>(c.family == Config::large ? c.cluster : c.split), {}};
  launch.add(job.image()
                 ? map_image(data.input(i), t, s, c.tile_rows, c.block_bytes)
                 : map_matrix(data.input(i), t.map_type, t.size, p.rows, s.channels, c.tile_rows, c.block_bytes));
  launch.add(map_matrix(data.packed(i == data.sets), t.map_type, t.size, plan.weight_rows, s.all_taps() * plan.padded(),
                        c.columns / c.cluster, c.block_bytes));
  if (c.family == Config::large) {
    for (Address to : {data.result(i), s.residual ? data.residual(i) : data.result(i)})
      launch.add(map_matrix(to, t.result_map_type, t.result_size, p.rows, s.filters, c.warp_rows(), c.panel(t)));
    launch.add(data.bias(i));
    launch.add(data.scale(i));
    const int pairs = (plan.row_tiles + c.cluster - 1) / c.cluster * plan.column_tiles;
    launch.grid = static_cast<unsigned>(c.cluster * std::min(processors / c.cluster, pairs));
  } else {
    for (Address at : {data.result(i), data.bias(i), data.scale(i), data.residual(i)}) launch.add(at);
    launch.grid = static_cast<unsigned>(plan.row_tiles * plan.column_tiles * c.split);
  }
  launch.add(p);
  return launch;
}

inline Launch direct_launch(const Job& job, Data& data, int i, int processors) {
  const Layer& s = *job.layer;
  const Config& c = job.config;
  Launch launch{nullptr, 0, 0, 0, 1, {}};
  for (Address at :
       {data.input(i), data.packed(i == data.sets), data.result(i), data.bias(i), data.scale(i), data.residual(i)})
    launch.add(at);
  const auto parts = [](int whole, int part) { return (whole + part - 1) / part; };
  if (c.family == Config::depthwise) {
    launch.add(DepthwiseShape{s.images, s.height, s.width, s.channels, s.out_h(), s.out_w(), s.pad, s.pad, s.channels,
                              s.filters, s.filters});
    const int patches = s.images * parts(s.out_h(), c.tile_rows) * parts(s.out_w(), c.columns);
    launch.grid = static_cast<unsigned>(parts(patches, 4 * c.group) * parts(s.channels, 32));
    return launch;
  }
  FirstShape p{s.images,
               s.height,
               s.width,
               s.channels,
               s.filters,
               s.out_h(),
               s.out_w(),
               s.pad,
               s.pad,
               parts(s.out_h(), c.tile_rows / 16),
               parts(s.out_w(), 16),
               s.filters,
               s.filters,
               int64_t{s.height} * s.width * s.channels,
               int64_t{s.width} * s.channels,
               s.channels,
               1,
               {1, 1, 1, 1},
               {0, 0, 0, 0}};
  launch.add(p);
  launch.grid = static_cast<unsigned>(
      std::min(s.images * p.tiles_down * p.tiles_across, processors * std::max(1, 512 / c.threads()) * 2));
  launch.grid_y = static_cast<unsigned>(s.filters / c.columns);
  return launch;
}

// A launch for each set of data; the last one is of integers.
inline std::vector<Launch> prepare(const Job& job, Data& data, cuda::FunctionHandle* function, int processors) {
  const bool direct = job.config.family == Config::depthwise || job.config.family == Config::first;
  const Plan plan(*job.layer, job.config, job.type);
  data.pack(job.config, plan.padded());
  std::vector<Launch> out;
  for (int i = 0; i <= data.sets; i++) {
    out.push_back(direct                                 ? direct_launch(job, data, i, processors)
                  : job.config.family == Config::general ? general_launch(job, plan, data, i)
                                                         : tiled_launch(job, plan, data, i, processors));
    out.back().function = function;
    out.back().threads = static_cast<unsigned>(job.config.threads());
    out.back().shared = static_cast<unsigned>(job.config.shared(job.type));
  }
  return out;
}

inline void run_job(size_t index, const Job& job, Data& data, const std::string& folder, int processors) {
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
  // Three in a row over one result, with edges that overlap.
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

}  // namespace planish::kernel_bench
