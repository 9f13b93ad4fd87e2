// col2im and max_unpool.

#include "kernels/reference/unpool.h"

#include "ops/common/window.h"

namespace planish::ops {
namespace {

void check_blocks(const InferContext& context, const Col2ImAttrs& attrs, size_t spatial) {
  context.require_rank(0, 3, 3);
  context.require_dtype(0, kComputed);
  if (spatial < 1 || spatial + 2 > kMaxRank)
    fail(Code::invalid_model, "a picture of {} axes; 1 to {} are accepted", spatial, kMaxRank - 2);
  check_window(attrs.strides, spatial, 1, "strides");
  check_window(attrs.dilations, spatial, 1, "dilations");
  check_window(attrs.pads, 2 * spatial, 0, "pads");
}

// X [N, C * block elements, blocks], image_shape, block_shape -> [N, C, image..]
void col2im_infer(InferContext& context) {
  const auto attrs = context.attrs<Col2ImAttrs>();
  check_blocks(context, attrs, static_cast<size_t>(context.list_extent(1)));
  if (!context.contents(1) || !context.contents(2)) {
    if (context.list_extent(1) != context.list_extent(2))
      fail(Code::invalid_model, "a block of {} axes in a picture of {}", context.list_extent(2),
           context.list_extent(1));
    std::vector<Dim> dims = context.measured(context.list_extent(1) + 2);
    dims.front() = context.shape(0)[0];
    return context.output(0, context.dtype(0), Shape(std::move(dims)));
  }
  const std::vector<Dim> picture = context.list(1), block = context.list(2);
  if (block.size() != picture.size())
    fail(Code::invalid_model, "a block of {} axes in a picture of {}", block.size(), picture.size());
  const Shape& columns = context.shape(0);
  Dim elements = 1;
  for (Dim extent : block) {
    if (extent.is_constant() && (extent.value() < 1 || extent.value() > INT32_MAX))
      fail(Code::invalid_model, "a block of {} elements; 1 to {} is accepted", extent.value(), INT32_MAX);
    elements = elements * extent;
  }
  if (columns[1].is_constant() && elements.is_constant() && columns[1].value() % elements.value() != 0)
    fail(Code::invalid_model, "{} of blocks of {} elements; a multiple of them along axis 1 is accepted", columns.str(),
         elements.value());
  std::vector<Dim> dims = {columns[0], floor_div(columns[1], elements)};
  Dim positions = 1;
  for (size_t i = 0; i < picture.size(); ++i) {
    const bool known = block[i].is_constant() && picture[i].is_constant();
    if (picture[i].is_constant() && picture[i].value() < 0)
      fail(Code::invalid_model, "an extent of {}; 0 and more is accepted", picture[i].value());
    if (known)
      positions =
          positions * window_extent(context, "NOTSET", attrs.pads, i, picture.size(), picture[i], block[i].value(),
                                    at_or(attrs.strides, i, 1), at_or(attrs.dilations, i, 1), false);
    else
      positions = columns[2];  // the kernel counts them
    dims.push_back(picture[i]);
  }
  if (!context.assume_equal(positions, columns[2]))
    fail(Code::invalid_model, "{} blocks; {} of them make the picture", columns[2].str(), positions.str());
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

// X [N, C, windows..], I alike, output_shape? -> what it says, else the picture that the windows were taken from
void max_unpool_infer(InferContext& context) {
  const auto attrs = context.attrs<MaxUnpoolAttrs>();
  context.require_rank(0, 3);
  context.require_dtype(0, kNumbers);
  context.require_dtype(1, kIndices);
  context.require_shape(1, context.shape(0));
  const auto spatial = static_cast<size_t>(context.rank(0) - 2);
  if (attrs.kernel_shape.size() != spatial)
    fail(Code::invalid_model, "kernel_shape has {} elements, {} are accepted", attrs.kernel_shape.size(), spatial);
  check_window(attrs.kernel_shape, spatial, 1, "kernel_shape");
  check_window(attrs.strides, spatial, 1, "strides");
  check_window(attrs.pads, 2 * spatial, 0, "pads");
  const Shape& x = context.shape(0);
  std::vector<Dim> dims = {x[0], x[1]};
  for (size_t i = 0; i < spatial; ++i)
    dims.push_back((x[static_cast<int>(i) + 2] - 1) * at_or(attrs.strides, i, 1) +
                   (attrs.kernel_shape[i] - at_or(attrs.pads, i, 0) - at_or(attrs.pads, i + spatial, 0)));
  if (context.has_input(2) && !context.contents(2))
    return context.output(0, context.dtype(0), Shape(context.measured(context.rank(0))));
  if (context.has_input(2)) {
    const std::vector<Dim> wanted = context.list(2);
    if (wanted.size() != dims.size())
      fail(Code::invalid_model, "{} extents for a result of rank {}", wanted.size(), dims.size());
    dims = wanted;
  }
  for (Dim dim : dims)
    if (dim.is_constant() && dim.value() < 0)
      fail(Code::invalid_model, "a result of {}; extents of 0 and more are accepted", Shape(dims).str());
  context.output(0, context.dtype(0), Shape(std::move(dims)));
}

}  // namespace

void register_unpool(OpTable& table) {
  OpDef fold;
  fold.name = "col2im";
  fold.min_inputs = fold.max_inputs = 3;
  fold.operand_names = {"input", "image_shape", "block_shape"};
  fold.check_attrs = check_attrs_as<Col2ImAttrs>;
  fold.infer = col2im_infer;
  table.add(std::move(fold));
  OpDef unpool;
  unpool.name = "max_unpool";
  unpool.min_inputs = 2;
  unpool.max_inputs = 3;
  unpool.operand_names = {"X", "I", "output_shape"};
  unpool.check_attrs = check_attrs_as<MaxUnpoolAttrs>;
  unpool.infer = max_unpool_infer;
  table.add(std::move(unpool));
}

}  // namespace planish::ops
