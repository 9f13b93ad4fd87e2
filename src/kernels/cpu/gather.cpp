// gather, gather_elements and gather_nd as one loop: every element of the result has an offset into the data
// that moves with the nest, plus what its indices say.

#include <cstring>

#include "kernels/cpu/common/nest.h"
#include "kernels/reference/contracts.h"
#include "kernels/reference/move.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

// Operands in order: result, data without the indexed axes, indices.
struct Gather {
  Nest<3> nest;
  size_t depth = 1;  // components of one index
  int64_t component_step = 0;
  std::array<int64_t, kMaxRank> extents{}, steps{};  // of the indexed axes
};

template <class I>
int64_t indexed_offset(const Gather& gather, const I* index) {
  int64_t offset = 0;
  for (size_t d = 0; d < gather.depth; ++d) {
    const int64_t at = index[static_cast<int64_t>(d) * gather.component_step], extent = gather.extents[d];
    if (at < -extent || at >= extent) fail(Code::invalid_argument, "index {} into an extent of {}", at, extent);
    offset += (at < 0 ? at + extent : at) * gather.steps[d];
  }
  return offset;
}

template <class T, class I>
void gather_rows(const KernelArgs& args, const Gather& gather) {
  const size_t in = gather.nest.inner();
  const int64_t y_step = gather.nest.strides[0][in], x_step = gather.nest.strides[1][in],
                i_step = gather.nest.strides[2][in];
  for_rows(*args.pool, gather.nest, 16384, 8192, [&](const std::array<int64_t, 3>& at, int64_t n) {
    T* to = args.outputs[0].as<T>() + at[0];
    const T* from = args.inputs[0].as<const T>() + at[1];
    const I* index = args.inputs[1].as<const I>() + at[2];
    if (i_step != 0)
      for (int64_t i = 0; i < n; ++i) to[i * y_step] = from[i * x_step + indexed_offset(gather, index + i * i_step)];
    else {
      from += indexed_offset(gather, index);
      if (x_step == 1 && y_step == 1)
        std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
      else
        for (int64_t i = 0; i < n; ++i) to[i * y_step] = from[i * x_step];
    }
  });
}

template <class T>
void gather_as(const KernelArgs& args, const Gather& gather) {
  if (args.inputs[1].dtype == DataType::i32)
    gather_rows<T, int32_t>(args, gather);
  else
    gather_rows<T, int64_t>(args, gather);
}

void run_gathered(const KernelArgs& args, const Gather& gather) {
  switch (element_bytes(args.inputs[0].dtype)) {
    case 1:
      return gather_as<uint8_t>(args, gather);
    case 2:
      return gather_as<uint16_t>(args, gather);
    case 4:
      return gather_as<uint32_t>(args, gather);
    default:
      return gather_as<uint64_t>(args, gather);
  }
}

size_t gather_axis(const KernelArgs& args) {
  return static_cast<size_t>(normalize_axis(args.as<MoveAxisAttrs>().axis, args.inputs[0].rank));
}

// As the reference kernels, with indices of 32 or 64 bits.
template <void (*check)(const KernelArgs&)>
void check_indexed(const KernelArgs& args) {
  check(args);
  Operands(args, 2, 2).in(1).is({DataType::i32, DataType::i64});
}

// y[a…, i…, b…] = x[a…, indices[i…], b…]
void run_gather(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &indices = args.inputs[1], &y = args.outputs[0];
  const size_t axis = gather_axis(args), between = static_cast<size_t>(indices.rank);
  Strides data{}, index{};
  for (size_t i = 0; i < static_cast<size_t>(y.rank); ++i) {
    if (i < axis)
      data[i] = x.strides[i];
    else if (i < axis + between)
      index[i] = indices.strides[i - axis];
    else
      data[i] = x.strides[i - between + 1];
  }
  Gather gather{make_nest<3>(y.extents(), {y.strides, data, index})};
  gather.extents[0] = x.dims[axis];
  gather.steps[0] = x.strides[axis];
  run_gathered(args, gather);
}

// y[a…, i, b…] = x[a…, indices[a…, i, b…], b…]
void run_gather_elements(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &indices = args.inputs[1], &y = args.outputs[0];
  const size_t axis = gather_axis(args);
  Strides data = x.strides;
  data[axis] = 0;
  Gather gather{make_nest<3>(y.extents(), {y.strides, data, indices.strides})};
  gather.extents[0] = x.dims[axis];
  gather.steps[0] = x.strides[axis];
  run_gathered(args, gather);
}

// y[n…, i…, b…] = x[n…, indices[n…, i…, :], b…]
void run_gather_nd(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &indices = args.inputs[1], &y = args.outputs[0];
  const auto outer = static_cast<size_t>(indices.rank) - 1, depth = static_cast<size_t>(indices.dims[outer]),
             batch = static_cast<size_t>(args.as<GatherNdAttrs>().batch_dims);
  Strides data{}, index{};
  for (size_t i = 0; i < static_cast<size_t>(y.rank); ++i) {
    if (i < outer) index[i] = indices.strides[i];
    if (i < batch) data[i] = x.strides[i];
    if (i >= outer) data[i] = x.strides[i - outer + batch + depth];
  }
  Gather gather{make_nest<3>(y.extents(), {y.strides, data, index})};
  gather.depth = depth;
  gather.component_step = indices.strides[outer];
  std::copy_n(x.dims.begin() + batch, depth, gather.extents.begin());
  std::copy_n(x.strides.begin() + batch, depth, gather.steps.begin());
  run_gathered(args, gather);
}

}  // namespace

void register_gather(KernelTable& table) {
  table.add(make_kernel<MoveAxisAttrs>("gather", check_indexed<reference::check_gather>, run_gather));
  table.add(make_kernel<MoveAxisAttrs>("gather_elements", check_indexed<reference::check_gather_elements>,
                                       run_gather_elements));
  table.add(make_kernel<GatherNdAttrs>("gather_nd", check_indexed<reference::check_gather_nd>, run_gather_nd));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
