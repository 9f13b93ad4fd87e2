#include "kernels/reference/dynamic_quantize.h"

#include "kernels/reference/contracts.h"

namespace planish::kernels::reference {

// X [.., K] -> numbers, scale, zero point: [.., 1] each, or one
void check_dynamic_quantize(const KernelArgs& args) {
  const auto& attrs = args.as<DynamicQuantizeAttrs>();
  const Operands o(args, 1, 1, 3, 3);
  const DataType numbers = attrs.symmetric != 0 ? DataType::i8 : DataType::u8;
  const Slot x = o.in(0).is({DataType::f32}).rank(attrs.rows != 0 ? 1 : 0, kMaxRank);
  o.out(0).is({numbers}).shape(x.extents());
  std::vector<int64_t> scales;
  if (attrs.rows != 0) {
    scales.assign(x.extents().begin(), x.extents().end());
    scales.back() = 1;
  }
  o.out(1).is({DataType::f32}).shape(scales);
  o.out(2).is({numbers}).shape(scales);
}

namespace {

struct DynamicSpan {
  const KernelArgs& args;
  std::vector<std::array<int64_t, 2>> places;  // in X and the numbers

  void quantize(int64_t scale_at, int64_t zero_at) const {
    const TensorView &x = args.inputs[0], &y = args.outputs[0];
    const bool symmetric = args.as<DynamicQuantizeAttrs>().symmetric != 0;
    float low = 0, high = 0;
    bool finite = true;
    for (const auto& place : places) {
      const float value = x.as<const float>()[place[0]];
      finite = finite && std::isfinite(value);
      low = std::min(low, value);
      high = std::max(high, value);
    }
    const DynamicScale by = dynamic_scale(low, high, finite, symmetric);
    args.outputs[1].as<float>()[scale_at] = by.scale;
    store_int(args.outputs[2], zero_at, by.zero);
    const float least = symmetric ? -127.f : 0.f, most = symmetric ? 127.f : 255.f;
    for (const auto& place : places) {
      const float number = std::nearbyint(x.as<const float>()[place[0]] / by.scale) + static_cast<float>(by.zero);
      store_int(y, place[1], std::isnan(number) ? 0 : static_cast<int64_t>(std::clamp(number, least, most)));
    }
  }
};

void run_dynamic_quantize(const KernelArgs& args) {
  const TensorView &x = args.inputs[0], &y = args.outputs[0];
  const bool rows = args.as<DynamicQuantizeAttrs>().rows != 0;
  DynamicSpan span{args, {}};
  int64_t row = 0;
  const int64_t width = rows ? x.dims[static_cast<size_t>(x.rank - 1)] : x.element_count();
  const TensorView &scale = args.outputs[1], &zero = args.outputs[2];
  const auto place_of = [&](const TensorView& view) {  // of row `row`
    int64_t offset = 0, rest = row;
    for (int i = view.rank - 1; i-- > 0;) {
      const auto axis = static_cast<size_t>(i);
      offset += rest % view.dims[axis] * view.strides[axis];
      rest /= view.dims[axis];
    }
    return offset;
  };
  for (Odometer<2> at(x.extents(), {x.strides, y.strides}); at.valid(); at.next()) {
    span.places.push_back({at.offset[0], at.offset[1]});
    if (static_cast<int64_t>(span.places.size()) < width) continue;
    span.quantize(rows ? place_of(scale) : 0, rows ? place_of(zero) : 0);
    span.places.clear();
    ++row;
  }
  if (x.element_count() == 0 && !rows) span.quantize(0, 0);
}

}  // namespace

void register_dynamic_quantize(KernelTable& table) {
  table.add(make_kernel<DynamicQuantizeAttrs>("dynamic_quantize_linear", check_dynamic_quantize, run_dynamic_quantize));
}

}  // namespace planish::kernels::reference
