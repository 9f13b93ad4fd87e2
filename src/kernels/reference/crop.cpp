// crop_and_resize: boxes of pictures, each sampled on a grid whose corners are the box's, as TensorFlow defines it.

#include "kernels/reference/crop.h"

#include <cmath>

#include "kernels/check.h"

namespace planish::kernels::reference {
namespace {

// Where sample i of `count` between low and high (shares of the picture) lies among `extent` elements.
double crop_position(double low, double high, int64_t i, int64_t count, int64_t extent) {
  const auto reach = static_cast<double>(extent - 1);
  if (count == 1) return 0.5 * (low + high) * reach;
  return low * reach + static_cast<double>(i) * (high - low) * reach / static_cast<double>(count - 1);
}

// Interpolated between the four elements around; 0 outside.
double crop_sample(const TensorView& x, int64_t from, double row, double column) {
  if (!(row >= 0 && row <= static_cast<double>(x.dims[2] - 1))) return 0;
  if (!(column >= 0 && column <= static_cast<double>(x.dims[3] - 1))) return 0;
  const auto at = [&](double i, double k) {
    return load_double(x, from + static_cast<int64_t>(i) * x.strides[2] + static_cast<int64_t>(k) * x.strides[3]);
  };
  const double top = std::floor(row), left = std::floor(column), bottom = std::ceil(row), right = std::ceil(column);
  const double above = at(top, left) + (at(top, right) - at(top, left)) * (column - left),
               below = at(bottom, left) + (at(bottom, right) - at(bottom, left)) * (column - left);
  return above + (below - above) * (row - top);
}

// X [N, C, H, W], boxes [R, 4] (y1, x1, y2, x2 in shares of the picture), pictures [R] -> [R, C, height, width]
void check_crop_and_resize(const KernelArgs& args) {
  const Operands o(args, 3, 3);
  const auto& attrs = args.as<CropAttrs>();
  const Slot x = o.in(0).rank(4, 4), boxes = o.in(1).rank(2, 2);
  boxes.shape({boxes.extent(0), 4});
  o.in(2).integers().shape({boxes.extent(0)});
  require(x.extent(2) > 0 && x.extent(3) > 0, "pictures of {} by {}", x.extent(2), x.extent(3));
  o.out().type_of(x).shape({boxes.extent(0), x.extent(1), attrs.height, attrs.width});
}

void run_crop_and_resize(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &boxes = args.inputs[1], &pictures = args.inputs[2], &y = args.outputs[0];
  args.pool->parallel_for(y.dims[0], 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t n = load_int(pictures, r * pictures.strides[0]);
      if (n < 0 || n >= x.dims[0]) fail(Code::invalid_argument, "box {} in picture {} of {}", r, n, x.dims[0]);
      const auto edge = [&](int64_t i) { return load_double(boxes, r * boxes.strides[0] + i * boxes.strides[1]); };
      for (int64_t c = 0; c < y.dims[1]; ++c)
        for (int64_t i = 0; i < y.dims[2]; ++i)
          for (int64_t k = 0; k < y.dims[3]; ++k)
            store_double(y, r * y.strides[0] + c * y.strides[1] + i * y.strides[2] + k * y.strides[3],
                         crop_sample(x, n * x.strides[0] + c * x.strides[1],
                                     crop_position(edge(0), edge(2), i, y.dims[2], x.dims[2]),
                                     crop_position(edge(1), edge(3), k, y.dims[3], x.dims[3])));
    }
  });
}

}  // namespace

void register_crop(KernelTable& table) {
  table.add(make_kernel<CropAttrs>("crop_and_resize", check_crop_and_resize, run_crop_and_resize));
}

}  // namespace planish::kernels::reference
