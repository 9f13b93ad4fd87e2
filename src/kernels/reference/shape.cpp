#include "kernels/kernel.h"
#include "kernels/reference/move.h"

namespace planish::kernels::reference {
namespace {

struct ShapeSliceAttrs {
  int64_t start = 0, end = INT64_MAX;
  template <class V>
  void fields(V& v) {
    v("start", start);
    v("end", end);
  }
};

void run_shape(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  int64_t start = args.as<ShapeSliceAttrs>().start;
  start = std::clamp(start < 0 ? start + x.rank : start, int64_t{0}, static_cast<int64_t>(x.rank));
  for (int64_t i = 0; i < y.dims[0]; ++i) store_int(y, i * y.strides[0], x.dims[static_cast<size_t>(start + i)]);
}

void run_size(const KernelArgs& args) { store_int(args.outputs[0], 0, args.inputs[0].element_count()); }

// The runtime evaluates the expressions before it decodes: they arrive as integers.
struct DimValues {
  std::vector<int64_t> values;
  int64_t scalar = 0;
  template <class V>
  void fields(V& v) {
    v("values", values);
    v("scalar", scalar);
  }
};

void run_dims(const KernelArgs& args) {
  const auto& values = args.as<DimValues>().values;
  for (size_t i = 0; i < values.size(); ++i)
    store_int(args.outputs[0], args.outputs[0].rank == 0 ? 0 : static_cast<int64_t>(i) * args.outputs[0].strides[0],
              values[i]);
}

void run_range(const KernelArgs& args) {
  const TensorView& y = args.outputs[0];
  for (int64_t i = 0; i < y.dims[0]; ++i) {
    if (is_float(y.dtype))
      store_double(y, i * y.strides[0],
                   load_double(args.inputs[0], 0) + static_cast<double>(i) * load_double(args.inputs[2], 0));
    else
      store_int(y, i * y.strides[0], load_int(args.inputs[0], 0) + i * load_int(args.inputs[2], 0));
  }
}

void run_constant_of_shape(const KernelArgs& args) {
  const Tensor& value = args.as<FillAttrs>().value;
  const TensorView& y = args.outputs[0];
  for (Odometer<1> at(y.extents(), {y.strides}); at.valid(); at.next()) {
    if (!value.present())
      store_int(y, at.offset[0], 0);
    else if (is_float(y.dtype))
      store_double(y, at.offset[0], load_double(value.view(), 0));
    else
      store_int(y, at.offset[0], load_int(value.view(), 0));
  }
}

struct CastParams {
  DataType to = DataType::none;
  int64_t saturate = 1;
  template <class V>
  void fields(V& v) {
    v("to", to);
    v("saturate", saturate);
  }
};

void run_cast(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const bool floats = is_float(x.dtype) || is_float(y.dtype);
  for (Odometer<2> at(x.extents(), {x.strides, y.strides}); at.valid(); at.next()) {
    if (floats)
      store_double(y, at.offset[1], load_double(x, at.offset[0]));
    else
      store_int(y, at.offset[1], load_int(x, at.offset[0]));
  }
}

}  // namespace

void register_shape(KernelTable& table) {
  table.add(make_kernel<ShapeSliceAttrs>("shape", run_shape));
  table.add(make_kernel<NoAttrs>("size", run_size));
  table.add(make_kernel<DimValues>("dims", run_dims));
  table.add(make_kernel<NoAttrs>("range", run_range));
  table.add(make_kernel<FillAttrs>("constant_of_shape", run_constant_of_shape));
  table.add(make_kernel<CastParams>("cast", run_cast));
}

}  // namespace planish::kernels::reference
