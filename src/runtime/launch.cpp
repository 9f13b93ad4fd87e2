#include "runtime/launch.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/checked.h"

namespace planish {
namespace {

constexpr size_t kMostBytes = 4096;  // of arguments, for every architecture
constexpr int64_t kMostGrid = INT32_MAX, kMostGridY = 65535;

// kernels/cuda/view.cuh: View.
struct ViewArgument {
  void* data;
  int64_t dims[kMaxRank], strides[kMaxRank];
};

// kernels/cuda/view.cuh: Elementwise and its operands.
struct ElementwiseHead {
  uint32_t count;  // positions, of `lanes` elements each
  int32_t rank, lanes;
  uint32_t zero = 0;
  uint32_t dims[kMaxRank];
};
struct ElementwiseOperand {
  void* data;
  int64_t strides[kMaxRank];
};
static_assert(sizeof(ElementwiseHead) % 8 == 0);

// Positions and, for each operand, its strides.
struct Nest {
  std::vector<int64_t> dims;
  std::vector<std::vector<int64_t>> strides;  // [operand][axis]
};

// Axes in the order of the first operand's strides, the finest last; those that follow each other in all operands
// joined.
Nest joined(const TensorView& output, std::span<const TensorView> operands) {
  std::vector<size_t> order;
  for (size_t i = 0; i < static_cast<size_t>(output.rank); ++i)
    if (output.dims[i] != 1) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return std::abs(output.strides[a]) > std::abs(output.strides[b]); });
  Nest nest;
  nest.strides.resize(operands.size());
  std::vector<std::array<int64_t, kMaxRank>> strides;
  for (const TensorView& operand : operands) strides.push_back(broadcast_strides(operand, output.extents()));
  for (size_t axis : order) {
    bool joins = !nest.dims.empty();
    for (size_t k = 0; k < operands.size(); ++k)
      joins = joins && nest.strides[k].back() == strides[k][axis] * output.dims[axis];
    if (joins)
      nest.dims.back() *= output.dims[axis];
    else
      nest.dims.push_back(output.dims[axis]);
    for (size_t k = 0; k < operands.size(); ++k) {
      if (joins)
        nest.strides[k].back() = strides[k][axis];
      else
        nest.strides[k].push_back(strides[k][axis]);
    }
  }
  return nest;
}

// Four neighbours at a time: each operand has them adjacent and aligned, or has one for all.
bool takes_four(const Nest& nest, std::span<const TensorView> operands) {
  if (nest.dims.empty() || nest.dims.back() % 4 != 0) return false;
  for (size_t k = 0; k < operands.size(); ++k) {
    const int64_t finest = nest.strides[k].back();
    if (finest == 0) continue;
    if (finest != 1) return false;
    if (reinterpret_cast<uintptr_t>(operands[k].data) % static_cast<uintptr_t>(4 * element_bytes(operands[k].dtype)) !=
        0)
      return false;
    for (size_t i = 0; i + 1 < nest.dims.size(); ++i)
      if (nest.strides[k][i] % 4 != 0) return false;
  }
  return true;
}

template <class T, size_t N>
void fill_three(std::array<T, N>& out, const std::vector<int64_t>& values, int64_t most, const char* what) {
  for (size_t i = 0; i < values.size() && i < N; ++i) {
    if (values[i] < 0 || values[i] > (i == 0 ? most : std::min(most, kMostGridY)))
      fail(Code::invalid_plan, "a {} of {} on axis {}", what, values[i], i);
    out[i] = static_cast<T>(values[i]);
  }
}

template <class T>
void take(const int64_t*& from, T& to) {
  to = static_cast<T>(*from++);
}
template <class T, size_t N>
void take(const int64_t*& from, std::array<T, N>& to) {
  for (T& value : to) take(from, value);
}

}  // namespace

PreparedLaunch::PreparedLaunch(const LaunchAttrs& params, const DeviceFunction& function)
    : params_(params), function_(function) {
  fill_three(shape_.grid, params_.grid, kMostGrid, "grid");
  fill_three(shape_.block, params_.block, 1024, "block");
  fill_three(shape_.cluster, params_.cluster, 16, "cluster");
  shape_.shared_bytes = static_cast<uint32_t>(params_.shared);
  shape_.overlap = params_.overlap != 0;
  empty_ = shape_.grid[0] == 0 || shape_.grid[1] == 0 || shape_.grid[2] == 0;
}

void PreparedLaunch::append(const void* data, size_t bytes, size_t alignment) {
  const auto begin = static_cast<size_t>(align_up(static_cast<int64_t>(used_), static_cast<int64_t>(alignment)));
  if (begin + bytes > kMostBytes) fail(Code::invalid_plan, "more than {} bytes of arguments", kMostBytes);
  std::memcpy(reinterpret_cast<std::byte*>(storage_.data()) + begin, data, bytes);
  offsets_.push_back(begin);
  used_ = begin + bytes;
}

void PreparedLaunch::append_view(const TensorView& view) {
  ViewArgument argument{};
  argument.data = view.data;
  for (size_t i = 0; i < static_cast<size_t>(view.rank); ++i) {
    argument.dims[i] = view.dims[i];
    argument.strides[i] = view.strides[i];
  }
  append(&argument, sizeof argument, alignof(ViewArgument));
}

void PreparedLaunch::append_elementwise(std::span<const TensorView> inputs, const TensorView& output) {
  std::vector<TensorView> operands = {output};
  operands.insert(operands.end(), inputs.begin(), inputs.end());
  Nest nest = joined(output, operands);
  ElementwiseHead head{};
  head.lanes = takes_four(nest, operands) ? 4 : 1;
  head.rank = static_cast<int32_t>(nest.dims.size());
  if (head.lanes == 4) {
    nest.dims.back() /= 4;
    for (auto& strides : nest.strides) strides.back() *= 4;
  }
  const int64_t count = checked_product(nest.dims);
  if (count > INT32_MAX) fail(Code::unsupported, "{} positions, 2^31 are accepted", count);
  head.count = static_cast<uint32_t>(count);
  for (size_t i = 0; i < nest.dims.size(); ++i) head.dims[i] = static_cast<uint32_t>(nest.dims[i]);
  std::vector<std::byte> bytes(sizeof head + operands.size() * sizeof(ElementwiseOperand));
  std::memcpy(bytes.data(), &head, sizeof head);
  for (size_t k = 0; k < operands.size(); ++k) {
    ElementwiseOperand operand{operands[k].data, {}};
    std::copy(nest.strides[k].begin(), nest.strides[k].end(), operand.strides);
    std::memcpy(bytes.data() + sizeof head + k * sizeof operand, &operand, sizeof operand);
  }
  append(bytes.data(), bytes.size(), 8);
}

void PreparedLaunch::append_map(std::span<const TensorView> inputs, std::span<const TensorView> outputs,
                                Accelerator& accelerator) {
  const int64_t* from = params_.maps.data() + next_map_;
  next_map_ += kMapNumbers;
  TensorMapShape map;
  int64_t operand = 0;
  take(from, operand);
  take(from, map.im2col);
  take(from, map.element);
  take(from, map.rank);
  take(from, map.dims);
  take(from, map.strides);
  take(from, map.box);
  take(from, map.steps);
  take(from, map.lower);
  take(from, map.upper);
  take(from, map.channels);
  take(from, map.pixels);
  take(from, map.interleave);
  take(from, map.swizzle);
  take(from, map.promotion);
  take(from, map.fill);
  const auto list = operand < 0 ? outputs : inputs;
  const auto index = static_cast<size_t>(operand < 0 ? -1 - operand : operand);
  if (index >= list.size() || map.rank < 1 || map.rank > 5) fail(Code::invalid_plan, "a tensor map of no operand");
  const EncodedTensorMap encoded = accelerator.encode(map, list[index].data);
  append(&encoded, sizeof encoded, alignof(EncodedTensorMap));
}

void PreparedLaunch::place(std::span<const TensorView> inputs, std::span<const TensorView> outputs,
                           Accelerator& accelerator) {
  storage_.assign(kMostBytes / sizeof(uint64_t), 0);
  used_ = next_map_ = 0;
  offsets_.clear();
  size_t next_value = 0, next_float = 0;
  for (const std::string& text : params_.arguments) {
    const Argument argument = parse_argument(text);
    const auto operand = [&]() -> const TensorView& { return (argument.is_output ? outputs : inputs)[argument.index]; };
    switch (argument.kind) {
      case ArgumentKind::elementwise:
        append_elementwise(inputs, outputs[0]);
        break;
      case ArgumentKind::view:
        append_view(operand());
        break;
      case ArgumentKind::spread: {
        TensorView spread = operand();
        spread.strides = broadcast_strides(spread, outputs[0].extents());
        spread.dims = outputs[0].dims;
        spread.rank = outputs[0].rank;
        append_view(spread);
        break;
      }
      case ArgumentKind::pointer:
        append(&operand().data, sizeof(void*), alignof(void*));
        break;
      case ArgumentKind::int32: {
        const int64_t value = params_.values[next_value++];
        if (value < INT32_MIN || value > INT32_MAX) fail(Code::unsupported, "the number {} in 32 bits", value);
        const auto narrow = static_cast<int32_t>(value);
        append(&narrow, sizeof narrow, alignof(int32_t));
        break;
      }
      case ArgumentKind::int64:
        append(&params_.values[next_value++], sizeof(int64_t), alignof(int64_t));
        break;
      case ArgumentKind::float32: {
        const auto value = static_cast<float>(params_.floats[next_float++]);
        append(&value, sizeof value, alignof(float));
        break;
      }
      case ArgumentKind::map:
        append_map(inputs, outputs, accelerator);
        break;
    }
  }
  arguments_.clear();
  for (size_t offset : offsets_) arguments_.push_back(reinterpret_cast<std::byte*>(storage_.data()) + offset);
}

void PreparedLaunch::run(Accelerator& accelerator, Stream& stream) {
  if (!empty_) accelerator.launch(function_, shape_, arguments_.data(), stream);
}

}  // namespace planish
