#include "kernels/reference/contracts.h"
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

// X of any type -> the extents from `start` on, as many as the result holds
void check_shape(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  const int64_t rank = o.in(0).view().rank, start = args.as<ShapeSliceAttrs>().start;
  o.out().integers().rank(1, 1);
  const int64_t first = std::clamp(start < 0 ? start + rank : start, int64_t{0}, rank);
  require(o.out().extent(0) <= rank - first, "{} extents from axis {} of {}", o.out().extent(0), first, rank);
}

void run_shape(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  int64_t start = args.as<ShapeSliceAttrs>().start;
  start = std::clamp(start < 0 ? start + x.rank : start, int64_t{0}, static_cast<int64_t>(x.rank));
  for (int64_t i = 0; i < y.dims[0]; ++i) store_int(y, i * y.strides[0], x.dims[static_cast<size_t>(start + i)]);
}

void check_size(const KernelArgs& args) {
  const Operands o(args, 1, 1);
  o.out().integers().elements(1);
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

// nothing, or what the values were read from -> as many integers as there are values
void check_dims(const KernelArgs& args) {
  const Operands o(args, 0, args.inputs.size());
  o.out().integers().list().elements(static_cast<int64_t>(args.as<DimValues>().values.size()));
}

void run_dims(const KernelArgs& args) {
  const auto& values = args.as<DimValues>().values;
  for (size_t i = 0; i < values.size(); ++i)
    store_int(args.outputs[0], args.outputs[0].rank == 0 ? 0 : static_cast<int64_t>(i) * args.outputs[0].strides[0],
              values[i]);
}

// start, limit, delta of the result's kind -> a row
void check_range(const KernelArgs& args) {
  const Operands o(args, 3, 3);
  for (size_t i : {0, 1, 2}) is_float(o.out().view().dtype) ? o.in(i).elements(1) : o.in(i).integers().elements(1);
  o.out().rank(1, 1);
}

void run_range(const KernelArgs& args) {
  const TensorView& y = args.outputs[0];
  for (int64_t i = 0; i < y.dims[0]; ++i) {
    if (is_float(y.dtype))
      store_double(y, i * y.strides[0],
                   load_double(args.inputs[0], 0) + static_cast<double>(i) * load_double(args.inputs[2], 0));
    else
      store_int(y, i * y.strides[0],
                static_cast<int64_t>(static_cast<uint64_t>(load_int(args.inputs[0], 0)) +
                                     static_cast<uint64_t>(i) * static_cast<uint64_t>(load_int(args.inputs[2], 0))));
  }
}

// the extents, which the result has -> the value everywhere
void check_constant_of_shape(const KernelArgs& args) {
  const Operands o(args, 0, 1);
  const Tensor& value = args.as<FillAttrs>().value;
  if (!value.present()) return;
  require(value.dtype() == o.out().view().dtype && value.element_count() >= 1, "a value {} for a result of {}",
          value.type().str(), data_type_name(o.out().view().dtype));
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

}  // namespace

void register_shape(KernelTable& table) {
  table.add(make_kernel<ShapeSliceAttrs>("shape", check_shape, run_shape));
  table.add(make_kernel<NoAttrs>("size", check_size, run_size));
  table.add(make_kernel<DimValues>("dims", check_dims, run_dims));
  table.add(make_kernel<NoAttrs>("range", check_range, run_range));
  table.add(make_kernel<FillAttrs>("constant_of_shape", check_constant_of_shape, run_constant_of_shape));
}

}  // namespace planish::kernels::reference
