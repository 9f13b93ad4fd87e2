#pragma once
// Convolution of any kind (sm_80 and later): 1 to 3 axes, strides, dilations, groups, transposed, any numbers of
// channels; and products. Pixels are gathered by cp.async, products are mma.sync.
//
// Operands as in convolution.cuh: weights of each group are packed by themselves, [groups][rows][taps * depth of a
// tap]. Grid: (ceil(rows / Rows) * ceil(columns / Columns), groups); 32 * WarpRows * WarpColumns threads.

#include "convolution.cuh"
#include "mma.cuh"

// instance: PLANISH_GENERAL=GeneralConv<half_t,half_t,128,128,64,4,2,4,16,8,false,true>
// instance: PLANISH_GENERAL=GeneralConv<half_t,float,64,64,64,4,2,2,16,4,true,true>
// instance: PLANISH_GENERAL=GeneralConv<half_t,half_t,64,32,32,4,2,2,2,1,false,false>
// instance: PLANISH_GENERAL=GeneralConv<bfloat_t,bfloat_t,128,64,64,4,4,2,8,8,false,true>
// instance: PLANISH_GENERAL=GeneralConv<tf32_t,float,64,64,64,4,2,2,16,8,false,true>
// instance: PLANISH_GENERAL=GeneralConv<int8_t,int8_t,128,128,64,4,2,4,16,8,false,true>
// instance: PLANISH_GENERAL=GeneralConv<int8_t,float,64,64,64,4,2,2,1,8,false,true>

struct GeneralShape {
  int rows, columns, column_tiles;          // of a group
  int blocks_per_tap, channels;             // channels: of a group
  int taps[3], extents[3], out_extents[3];  // depth, height, width
  int strides[3], pads[3], dilations[3];
  int pixel_pitch, result_pitch, residual_pitch;  // elements
  int weight_rows;                                // packed rows of a group
};

// Access: bytes that a read of pixels takes at once (16, 8, 4; below 4 an element), which divide a group's channels and
// the pitch. Aligned: results are stored in runs; else one by one.
template <class T, class Out, int Rows, int Columns, int BlockBytes, int Stages, int WarpRows, int WarpColumns,
          int Access, int Group, bool Transposed, bool Aligned>
struct GeneralConv {
  using Element = T;
  using Result = Out;
  using SumType = typename Sum<T>::type;
  static constexpr int kRows = Rows, kColumns = Columns, kBlockBytes = BlockBytes, kStages = Stages, kAccess = Access;
  static constexpr int kWarpColumns = WarpColumns, kGroup = Group, kThreads = 32 * WarpRows * WarpColumns;
  static constexpr bool kTransposed = Transposed, kAligned = Aligned;
  static constexpr int kStage = (Rows + Columns) * BlockBytes, kShared = Stages * kStage;
  static constexpr int kWarpM = Rows / WarpRows / 16, kWarpN = Columns / WarpColumns / 8;  // of fragments
  static constexpr int kChunks = BlockBytes / 16, kDepth = BlockBytes / static_cast<int>(sizeof(T));
  static constexpr int kLeftParts = Rows * kChunks / kThreads,
                       kRightParts = (Columns * kChunks + kThreads - 1) / kThreads;
  static constexpr int kRunGroups = kWarpN < Group ? kWarpN : Group, kRun = 2 * kRunGroups;
  static_assert(Rows * kChunks % kThreads == 0 && kWarpN % 2 == 0, "parts");
  static_assert(kWarpN % kRunGroups == 0 && Group % kRunGroups == 0, "runs of channels");
};

// Of a row of A: where its pixels begin.
struct GeneralRow {
  int64_t image;  // first element; negative: no such row
  int at[3];      // position of tap 0
};

template <class C>
PLANISH_DEVICE GeneralRow general_row(const GeneralShape& p, int m) {
  GeneralRow row;
  int rest = m;
#pragma unroll
  for (int i = 2; i >= 0; i--) {
    const int next = rest / p.out_extents[i], position = rest - next * p.out_extents[i];
    row.at[i] = C::kTransposed ? position + p.pads[i] : position * p.strides[i] - p.pads[i];
    rest = next;
  }
  row.image = m < p.rows ? int64_t{rest} * p.extents[0] * p.extents[1] * p.extents[2] * p.pixel_pitch : -1;
  return row;
}

// The pixel that tap (t0, t1, t2) reads, as an offset; negative: none.
template <class C>
PLANISH_DEVICE int64_t general_pixel(const GeneralShape& p, const GeneralRow& row, const int* tap) {
  int64_t offset = 0;
  bool inside = row.image >= 0;
#pragma unroll
  for (int i = 0; i < 3; i++) {
    int at;
    if constexpr (C::kTransposed) {
      const int scaled = row.at[i] - tap[i] * p.dilations[i];
      at = scaled / p.strides[i];
      inside &= scaled >= 0 && at * p.strides[i] == scaled;
    } else {
      at = row.at[i] + tap[i] * p.dilations[i];
    }
    inside &= static_cast<unsigned>(at) < static_cast<unsigned>(p.extents[i]);
    offset = offset * p.extents[i] + at;
  }
  return inside ? row.image + offset * p.pixel_pitch : -1;
}

// 16 bytes of channels from `channel` on; zeros behind the last and where there is no pixel.
template <class C>
PLANISH_DEVICE void general_chunk(uint32_t to, const typename C::Element* x, int64_t pixel, int channel, int channels) {
  constexpr int size = sizeof(typename C::Element);
  const typename C::Element* from = x + (pixel < 0 ? 0 : pixel + channel);
  if constexpr (C::kAccess >= 4) {
#pragma unroll
    for (int i = 0; i < 16; i += C::kAccess) {
      const bool valid = pixel >= 0 && channel + i / size < channels;
      copy_async<C::kAccess>(to + i, valid ? from + i / size : x, valid);
    }
  } else {
    uint32_t words[4] = {};
    if (pixel >= 0) {
#pragma unroll
      for (int i = 0; i < 16 / size; i++)
        if (channel + i < channels) {
          if constexpr (size == 2)
            words[i / 2] |= static_cast<uint32_t>(reinterpret_cast<const uint16_t*>(from)[i]) << (i % 2 * 16);
          else
            words[i / 4] |= static_cast<uint32_t>(reinterpret_cast<const uint8_t*>(from)[i]) << (i % 4 * 8);
        }
    }
    store_shared4(to, words);
  }
}

template <class C>
PLANISH_DEVICE void general_multiply(typename C::SumType (*sums)[C::kWarpN][4], uint32_t left, uint32_t right,
                                     int warp_m, int warp_n, int lane) {
#pragma unroll
  for (int k = 0; k < C::kBlockBytes / 32; k++) {
    uint32_t a[C::kWarpM][4], b[C::kWarpN / 2][4];
    const int row = lane & 15, chunk = k * 2 + (lane >> 4);
#pragma unroll
    for (int i = 0; i < C::kWarpM; i++)
      load_fragments(a[i], left + chunk_offset<C::kBlockBytes>(warp_m * C::kWarpM * 16 + i * 16 + row, chunk));
#pragma unroll
    for (int j = 0; j < C::kWarpN / 2; j++)
      load_fragments(b[j], right + chunk_offset<C::kBlockBytes>(warp_n * C::kWarpN * 8 + j * 16 + row, chunk));
#pragma unroll
    for (int i = 0; i < C::kWarpM; i++)
#pragma unroll
      for (int j = 0; j < C::kWarpN; j++)
        WarpProduct<typename C::Element>::add(sums[i][j], a[i], b[j / 2][j & 1], b[j / 2][2 + (j & 1)]);
  }
}

template <class C, class Program>
PLANISH_DEVICE void general_finish(typename C::SumType (*sums)[C::kWarpN][4], typename C::Result* result,
                                   const float* bias, const float* scale, const typename C::Result* residual,
                                   const GeneralShape& p, int m, int n, int lane) {
  using Out = typename C::Result;
#pragma unroll
  for (int t = 0; t < C::kWarpN / C::kRunGroups; t++) {
    const int channel = channel_of<C::kGroup>(n / 8 + t * C::kRunGroups, lane & 3);
    float biases[C::kRun], scales[C::kRun];
#pragma unroll
    for (int i = 0; i < C::kRun; i++) {
      biases[i] = channel + i < p.columns ? bias[channel + i] : 0;
      if constexpr (Program::scale) scales[i] = channel + i < p.columns ? scale[channel + i] : 0;
    }
#pragma unroll
    for (int i = 0; i < C::kWarpM; i++)
#pragma unroll
      for (int h = 0; h < 2; h++) {
        const int row = m + i * 16 + h * 8 + (lane >> 2);
        if (row >= p.rows || channel >= p.columns) continue;
        Out* to = result + int64_t{row} * p.result_pitch + channel;
        const Out* from = Program::residual ? residual + int64_t{row} * p.residual_pitch + channel : nullptr;
        typename C::SumType s[C::kRun];
        float values[C::kRun], addends[C::kRun];
        if constexpr (Program::residual && C::kAligned) load_run<Out, C::kRun>(addends, from);
#pragma unroll
        for (int e = 0; e < C::kRun; e++) {
          if constexpr (Program::residual && !C::kAligned)
            addends[e] = channel + e < p.columns ? static_cast<float>(to_float(from[e])) : 0;
          s[e] = sums[i][t * C::kRunGroups + e / 2][h * 2 + (e & 1)];
        }
        apply_program<Program, C::kRun>(values, s, scales, biases, addends);
        if constexpr (C::kAligned) {
          store_run<Out, C::kRun>(to, values);
        } else {
#pragma unroll
          for (int e = 0; e < C::kRun; e++)
            if (channel + e < p.columns) to[e] = rounded_to<Out>(values[e]);
        }
      }
  }
}

template <class C, class Program>
PLANISH_DEVICE void conv_general(const typename C::Element* x, const typename C::Element* weights,
                                 typename C::Result* result, const float* bias, const float* scale,
                                 const typename C::Result* residual, const GeneralShape& p) {
  extern __shared__ __align__(1024) uint8_t shared[];
  const uint32_t stages = shared_address(shared);
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, group = blockIdx.y;
  const int m0 = blockIdx.x / p.column_tiles * C::kRows, n0 = blockIdx.x % p.column_tiles * C::kColumns;
  const int blocks = p.taps[0] * p.taps[1] * p.taps[2] * p.blocks_per_tap, depth = blocks * C::kDepth;
  x += group * p.channels;
  weights += int64_t{group} * p.weight_rows * depth;
  grid_release();

  GeneralRow rows[C::kLeftParts];
#pragma unroll
  for (int i = 0; i < C::kLeftParts; i++)
    rows[i] = general_row<C>(p, m0 + (static_cast<int>(threadIdx.x) + i * C::kThreads) / C::kChunks);
  int tap[3] = {0, 0, 0}, channel_block = 0;
  auto load = [&](int block, int stage) {
    const uint32_t left = stages + stage * C::kStage, right = left + C::kRows * C::kBlockBytes;
#pragma unroll
    for (int i = 0; i < C::kLeftParts; i++) {
      const int part = threadIdx.x + i * C::kThreads, chunk = part % C::kChunks;
      const int channel = channel_block * C::kDepth + chunk * (16 / static_cast<int>(sizeof(typename C::Element)));
      general_chunk<C>(left + chunk_offset<C::kBlockBytes>(part / C::kChunks, chunk), x,
                       general_pixel<C>(p, rows[i], tap), channel, p.channels);
    }
#pragma unroll
    for (int i = 0; i < C::kRightParts; i++) {
      const int part = threadIdx.x + i * C::kThreads, row = part / C::kChunks, chunk = part % C::kChunks;
      const bool valid = n0 + row < p.weight_rows;
      const auto* from =
          reinterpret_cast<const uint8_t*>(weights + int64_t{valid ? n0 + row : 0} * depth + block * C::kDepth);
      if (C::kColumns * C::kChunks % C::kThreads == 0 || row < C::kColumns)
        copy_async<16>(right + chunk_offset<C::kBlockBytes>(row, chunk), from + chunk * 16, valid);
    }
    if (++channel_block == p.blocks_per_tap) {
      channel_block = 0;
      if (++tap[2] == p.taps[2]) {
        tap[2] = 0;
        if (++tap[1] == p.taps[1]) tap[1] = 0, tap[0]++;
      }
    }
  };

  typename C::SumType sums[C::kWarpM][C::kWarpN][4] = {};
  const int warp_m = warp / C::kWarpColumns, warp_n = warp % C::kWarpColumns;
  grid_wait();
#pragma unroll
  for (int i = 0; i < C::kStages - 1; i++) {
    if (i < blocks) load(i, i);
    copies_commit();
  }
  int stage = 0, next = C::kStages - 1;
  for (int k = 0; k < blocks; k++) {
    copies_wait<C::kStages - 2>();
    __syncthreads();
    if (k + C::kStages - 1 < blocks) load(k + C::kStages - 1, next);
    copies_commit();
    const uint32_t left = stages + stage * C::kStage;
    general_multiply<C>(sums, left, left + C::kRows * C::kBlockBytes, warp_m, warp_n, lane);
    if (++stage == C::kStages) stage = 0;
    if (++next == C::kStages) next = 0;
  }
  general_finish<C, Program>(sums, result + group * p.columns, bias + group * p.columns,
                             Program::scale ? scale + group * p.columns : nullptr,
                             Program::residual ? residual + group * p.columns : nullptr, p,
                             m0 + warp_m * C::kWarpM * 16, n0 + warp_n * C::kWarpN * 8, lane);
}

#define PLANISH_CONV_GENERAL(name, Config, Program)                                                             \
  extern "C" __global__ void __launch_bounds__(Config::kThreads)                                                \
      name(const Config::Element* x, const Config::Element* weights, Config::Result* result, const float* bias, \
           const float* scale, const Config::Result* residual, const __grid_constant__ GeneralShape shape) {    \
    conv_general<Config, Program>(x, weights, result, bias, scale, residual, shape);                            \
  }

#ifdef PLANISH_GENERAL
using GeneralInstance = PLANISH_GENERAL;
PLANISH_CONV_GENERAL(general, GeneralInstance, SampleProgram)
#endif
