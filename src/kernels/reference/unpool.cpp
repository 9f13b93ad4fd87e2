// Back from windows to the picture: col2im adds up blocks where they overlap, max_unpool puts maxima where they were.

#include "kernels/reference/unpool.h"

#include "base/checked.h"
#include "kernels/reference/contracts.h"

namespace planish::kernels::reference {
namespace {

// The blocks of a picture along each axis.
struct Blocks {
  std::vector<WindowAxis> axes;  // in: positions of blocks, out: elements of the picture
  std::vector<int64_t> block, count;
  int64_t elements = 1, positions = 1;
};

Blocks blocks_of(const KernelArgs& args, const Col2ImAttrs& attrs) {
  const TensorView &x = args.inputs[0], &shape = args.inputs[2], &y = args.outputs[0];
  Blocks blocks;
  for (size_t i = 0; i + 2 < static_cast<size_t>(y.rank); ++i) {
    const int64_t block = load_int(shape, static_cast<int64_t>(i) * shape.strides[0]), extent = y.dims[i + 2];
    const int64_t stride = at_or(attrs.strides, i, 1), dilation = at_or(attrs.dilations, i, 1);
    const int64_t pad = at_or(attrs.pads, i, 0), end = at_or(attrs.pads, i + static_cast<size_t>(y.rank) - 2, 0);
    if (block < 1 || block > INT32_MAX) fail(Code::invalid_argument, "a block of {} elements", block);
    const int64_t room = extent + pad + end - dilation * (block - 1) - 1;
    blocks.axes.push_back({room < 0 ? 0 : room / stride + 1, extent, block, stride, dilation, pad});
    blocks.block.push_back(block);
    blocks.count.push_back(blocks.axes.back().in);
    blocks.elements = checked_mul(blocks.elements, block);
    blocks.positions = checked_mul(blocks.positions, blocks.count.back());
  }
  if (checked_mul(y.dims[1], blocks.elements) != x.dims[1] || blocks.positions != x.dims[2])
    fail(Code::invalid_argument, "{} columns of {} for {} blocks of {} elements and {} channels", x.dims[2], x.dims[1],
         blocks.positions, blocks.elements, y.dims[1]);
  return blocks;
}

// Adds element `tap` of the block at each position, which lie `step` apart in x, to the plane.
void add_tap(const Blocks& blocks, std::span<const int64_t> tap, const TensorView& x, int64_t from,
             std::vector<double>& plane) {
  const std::array<int64_t, kMaxRank> none{};
  for (Odometer<1> at(blocks.count, {std::span<const int64_t>(none)}); at.valid(); at.next(), from += x.strides[2]) {
    int64_t flat = 0;
    bool inside = true;
    for (size_t i = 0; i < blocks.axes.size(); ++i) {
      const WindowAxis& axis = blocks.axes[i];
      const int64_t position = at.index[i] * axis.stride - axis.pad + tap[i] * axis.dilation;
      inside = inside && position >= 0 && position < axis.out;
      flat = flat * axis.out + position;
    }
    if (inside) plane[static_cast<size_t>(flat)] += load_double(x, from);
  }
}

void run_col2im(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  if (y.element_count() == 0) return;
  const Blocks blocks = blocks_of(args, args.as<Col2ImAttrs>());
  const int64_t planes = y.dims[0] * y.dims[1];
  const std::array<int64_t, kMaxRank> none{};
  args.pool->parallel_for(planes, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = i / y.dims[1], c = i % y.dims[1];
      std::vector<double> plane(static_cast<size_t>(y.element_count() / planes));
      int64_t row = c * blocks.elements;
      for (Odometer<1> tap(blocks.block, {std::span<const int64_t>(none)}); tap.valid(); tap.next(), ++row)
        add_tap(blocks, tap.index, x, n * x.strides[0] + row * x.strides[1], plane);
      const double* value = plane.data();
      const int64_t to = n * y.strides[0] + c * y.strides[1];
      for (Odometer<1> at(y.extents().subspan(2), {std::span<const int64_t>(y.strides).subspan(2)}); at.valid();
           at.next())
        store_double(y, to + at.offset[0], *value++);
    }
  });
}

// X [N, C * block elements, blocks], the picture's extents, the block's -> [N, C, picture..]; the block is data
void check_col2im(const KernelArgs& args) {
  const Operands o(args, 3, 3);
  const auto& attrs = args.as<Col2ImAttrs>();
  const Slot x = o.in(0).rank(3, 3), y = o.out().type_of(x).rank(3, kMaxRank);
  const auto spatial = static_cast<int64_t>(y.view().rank) - 2;
  o.in(1).integers().list();
  o.in(2).integers().rank(1, 1).elements(spatial);
  require(y.extent(0) == x.extent(0), "a result of {} images for {}", y.extent(0), x.extent(0));
  for (size_t i = 0; i < static_cast<size_t>(spatial); ++i) {
    check_window_axis(attrs, y, y, i, 1);
    check_pad_extent(at_or(attrs.pads, i + static_cast<size_t>(spatial), 0));
  }
}

// [N, C, picture..], where columns hold C blocks
void extents_col2im(const KernelArgs& args) {
  std::vector<int64_t> extents = extents_list(args, 1);
  int64_t elements = 1;
  for (int64_t extent : extents_list(args, 2)) elements = checked_mul(elements, extent);
  if (elements < 1) fail(Code::invalid_argument, "a block of {} elements", elements);
  extents.insert(extents.begin(), {args.inputs[0].dims[0], args.inputs[0].dims[1] / elements});
  bind_extents(args, extents);
}

void check_extents_col2im(const KernelArgs& args) {
  const Operands o(args, 3, 3, 0, 0);
  o.in(0).rank(3, 3);
  for (size_t i : {1, 2}) o.in(i).integers().list();
}

// Offset of the element that is number `flat` of the picture, which may be smaller than the result.
int64_t unpooled_offset(std::span<const int64_t> picture, const TensorView& y, int64_t flat) {
  int64_t offset = 0;
  for (size_t i = picture.size(); i-- > 0;) {
    const int64_t at = flat % picture[i];
    flat /= picture[i];
    if (at >= y.dims[i]) fail(Code::invalid_argument, "position {} along axis {} of {} elements", at, i, y.dims[i]);
    offset += at * y.strides[i];
  }
  return offset;
}

void run_max_unpool(const KernelArgs& args) {
  const auto& attrs = args.as<MaxUnpoolAttrs>();
  const TensorView &x = args.inputs[0], &indices = args.inputs[1], &y = args.outputs[0];
  for (Odometer<1> at(y.extents(), {std::span<const int64_t>(y.strides)}); at.valid(); at.next())
    store_int(y, at.offset[0], 0);
  std::vector<int64_t> picture = {x.dims[0], x.dims[1]};
  int64_t elements = checked_mul(x.dims[0], x.dims[1]);
  for (size_t i = 0; i + 2 < static_cast<size_t>(x.rank); ++i) {
    picture.push_back(unpooled_extent(attrs, i, x.dims[i + 2]));
    elements = checked_mul(elements, std::max<int64_t>(picture.back(), 0));
  }
  for (Odometer<2> at(x.extents(), {x.strides, indices.strides}); at.valid(); at.next()) {
    const int64_t flat = load_int(indices, at.offset[1]);
    if (flat < 0 || flat >= elements) fail(Code::invalid_argument, "index {} into {} elements", flat, elements);
    store_double(y, unpooled_offset(picture, y, flat), load_double(x, at.offset[0]));
  }
}

// X [N, C, windows..], indices alike, the result's extents? -> [N, C, picture..]
void check_max_unpool(const KernelArgs& args) {
  const Operands o(args, 2, 3);
  const auto& attrs = args.as<MaxUnpoolAttrs>();
  const Slot x = o.in(0).rank(3, kMaxRank);
  o.in(1).integers().shape(x.extents());
  o.in(2).integers().list();
  const Slot y = o.out().type_of(x).rank(x.view().rank, x.view().rank);
  const auto spatial = static_cast<size_t>(x.view().rank) - 2;
  require(attrs.kernel_shape.size() == spatial, "a kernel of {} axes over {} spatial ones", attrs.kernel_shape.size(),
          spatial);
  for (size_t i = 0; i < spatial; ++i) {
    check_window({x.extent(static_cast<int>(i) + 2), y.extent(static_cast<int>(i) + 2), attrs.kernel_shape[i],
                  at_or(attrs.strides, i, 1), 1, at_or(attrs.pads, i, 0), x.view().strides[i + 2]});
    check_pad_extent(at_or(attrs.pads, i + spatial, 0));
  }
}

void extents_max_unpool(const KernelArgs& args) { bind_extents(args, extents_list(args, 2)); }

void check_extents_max_unpool(const KernelArgs& args) {
  const Operands o(args, 3, 3, 0, 0);
  o.in(2).integers().list();
}

}  // namespace

void register_unpool(KernelTable& table) {
  table.add(make_kernel<Col2ImAttrs>("col2im", check_col2im, run_col2im));
  table.add(make_kernel<MaxUnpoolAttrs>("max_unpool", check_max_unpool, run_max_unpool));
  table.add(make_kernel<Col2ImAttrs>("extents.col2im", check_extents_col2im, extents_col2im));
  table.add(make_kernel<MaxUnpoolAttrs>("extents.max_unpool", check_extents_max_unpool, extents_max_unpool));
}

}  // namespace planish::kernels::reference
