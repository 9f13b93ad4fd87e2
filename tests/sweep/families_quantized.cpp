// Networks of quantised numbers. Scales that are powers of two make every intermediate value of the network as written
// exact in f32, so that its result is the only right one; other scales may differ by a step where its own f32 sums
// decide a tie.

#include <algorithm>
#include <cmath>

#include "support/tensors.h"
#include "sweep/windows.h"

namespace planish::testing {
namespace {

constexpr int64_t kMostNumbers = 250'000;  // multiplications
constexpr double kExact = 0x1p23;          // sums below this, and what is added to them, are f32 numbers

class Numbers {
 public:
  explicit Numbers(Sketch& d) : d_(d), powers_(d.pick(3) > 0) { d.sample.bound = powers_ ? Bound::exact : Bound::step; }

  bool powers() const { return powers_; }
  double scale(int least, int most) {
    const double power = std::ldexp(1, -static_cast<int>(d_.between(least, most)));
    return powers_ ? power : power * (1 + d_.pick(1000) / 1500.0);
  }
  DataType byte() { return d_.one_in(2) ? DataType::u8 : DataType::i8; }
  ValueId zero(DataType type) {
    const int64_t any = d_.one_in(4) ? 0 : d_.pick(256);
    return d_.graph.add_constant(type == DataType::u8 ? Tensor::scalar(static_cast<uint8_t>(any))
                                                      : Tensor::scalar(static_cast<int8_t>(any == 0 ? 0 : any - 128)));
  }
  ValueId number(double value) { return d_.scalar(static_cast<float>(value)); }

  // f32 numbers of bytes.
  ValueId data(const Ints& extents, double scale) {
    const DataType type = byte();
    return d_.op("dequantize_linear", {d_.bytes(extents, type), number(scale), zero(type)});
  }

  struct Weights {
    ValueId value;
    std::vector<double> scales;  // one, or a column's
    double most = 0;             // of a number less its zero point
  };
  Weights weights(const Ints& extents, int64_t axis, int64_t most) {
    const int64_t columns = extents[static_cast<size_t>(axis)];
    const bool each = d_.one_in(2), centred = d_.one_in(2), is_signed = d_.one_in(2);
    const Ints row = each ? Ints{columns} : Ints{};
    std::vector<float> scales;
    Weights w;
    for (int64_t i = 0; i < (each ? columns : 1); ++i) {
      w.scales.push_back(scale(5, 8));
      scales.push_back(static_cast<float>(w.scales.back()));
      w.scales.back() = scales.back();
    }
    const int64_t low = is_signed ? -most : 128 - most, high = is_signed ? most - 1 : 127 + most, off = centred ? 0 : 9;
    const auto numbers = [&](const Ints& dims, int64_t from, int64_t to) {
      return d_.graph.add_constant(is_signed ? random_integers<int8_t>(dims, d_.random(), from, to)
                                             : random_integers<uint8_t>(dims, d_.random(), from, to));
    };
    const int64_t middle = is_signed ? 0 : 128;
    w.most = static_cast<double>(most + off);
    w.value = d_.op("dequantize_linear",
                    {numbers(extents, std::max<int64_t>(low, is_signed ? -128 : 0), high),
                     d_.graph.add_constant(Tensor::of<float>(row, scales)), numbers(row, middle - off, middle + off)},
                    {{"axis", axis}});
    return w;
  }

  ValueId bias(const Weights& w, double data_scale, int64_t columns) {
    std::vector<float> values;
    for (int64_t i = 0; i < columns; ++i) {
      const double step = data_scale * w.scales[w.scales.size() > 1 ? static_cast<size_t>(i) : 0];
      values.push_back(static_cast<float>(step * static_cast<double>(d_.between(-20000, 20000))));
    }
    return d_.graph.add_constant(Tensor::of<float>({columns}, values));
  }

  ValueId activation(ValueId y) {
    switch (d_.pick(powers_ ? 5 : 7)) {
      case 0:
        return d_.op("relu", {y});
      case 1:
        return d_.op("clip", {y, number(0), number(6)});
      case 2:
        return d_.op("leaky_relu", {y}, {{"alpha", 0.125}});
      case 5:
        return d_.op("hard_swish", {y});
      case 6:
        return d_.op("sigmoid", {y});
      default:
        return y;
    }
  }

  ValueId quantized(ValueId y, double scale) {
    const DataType type = byte();
    return d_.op("quantize_linear", {y, number(scale), zero(type)});
  }

 private:
  Sketch& d_;
  bool powers_;
};

// A product with rows, a residual and an activation behind it; `depth`: of its sums.
template <class Product>
void finish_product(Sketch& d, Numbers& n, int64_t depth, int64_t most, double data_scale, Product product) {
  const bool plain = 255.0 * static_cast<double>((most + 9) * depth) > kExact;  // one rounding, of the sum
  auto [y, weight_scale] = product(!plain && d.one_in(2));
  if (!plain && d.one_in(3)) y = d.op("add", {y, n.data(d.dims(y), n.scale(2, 5))});
  if (!plain) y = n.activation(y);
  const double deviation = std::sqrt(static_cast<double>(depth)) * 100 * static_cast<double>(most) * 0.6;
  const double step = std::exp2(std::round(std::log2(deviation * data_scale * weight_scale / 50)));
  if (d.one_in(8)) {
    if (!n.powers()) d.sample.bound = Bound::rounded;
    d.sample.tolerance = 1e-5;
  } else {
    y = n.quantized(y, n.powers() ? step : step * (1 + d.pick(1000) / 1500.0));
  }
  d.finish(y);
}

// Of all bits where sums stay exact, or few.
int64_t magnitude(Sketch& d, int64_t depth) {
  const auto fits = static_cast<int64_t>(kExact / 255 / static_cast<double>(depth)) - 9;
  return d.one_in(2) ? 128 : std::clamp<int64_t>(fits, 2, 128);
}

void convolve_numbers(Sketch& d, const Windows& w, int64_t channels, int64_t filters, int64_t group) {
  Numbers n(d);
  int64_t batch = d.between(1, 2);
  const auto work = [&] { return batch * group * channels * filters * product_of(w.kernel) * product_of(w.results); };
  while (work() > kMostNumbers && (channels > 1 || filters > 1 || group > 1)) {
    int64_t& largest = channels >= filters && channels > 1 ? channels : filters > 1 ? filters : group;
    largest = std::max<int64_t>(1, largest * 2 / 3);
  }
  Ints x = {batch, channels * group}, shape = {filters * group, channels};
  x.insert(x.end(), w.extents.begin(), w.extents.end());
  shape.insert(shape.end(), w.kernel.begin(), w.kernel.end());
  const double data_scale = n.scale(2, 5);
  const int64_t depth = channels * product_of(w.kernel), most = magnitude(d, depth);
  finish_product(d, n, depth, most, data_scale, [&](bool biased) {
    const Numbers::Weights weights = n.weights(shape, 0, most);
    std::vector<ValueId> operands = {n.data(x, data_scale), weights.value};
    if (biased) operands.push_back(n.bias(weights, data_scale, filters * group));
    return std::pair(d.op("conv", operands,
                          {{"strides", w.strides}, {"dilations", w.dilations}, {"pads", w.pads}, {"group", group}}),
                     weights.scales[0]);
  });
}

void numbers_conv(Sketch& d) { convolve_numbers(d, any_windows(d, 2, 5, 14), d.extent(70), d.extent(100), 1); }
void numbers_deep(Sketch& d) { convolve_numbers(d, any_windows(d, 2, 3, 5), d.between(100, 600), d.extent(40), 1); }
void numbers_1x1(Sketch& d) { convolve_numbers(d, square_windows(d, 1, 1, 14), d.extent(200), d.extent(150), 1); }
void numbers_3x3(Sketch& d) { convolve_numbers(d, square_windows(d, 3, 1, 16), d.extent(70), d.extent(70), 1); }
void numbers_first(Sketch& d) {
  convolve_numbers(d, square_windows(d, d.between(1, 7), d.between(1, 3), 40), d.between(1, 6), d.extent(70), 1);
}
void numbers_depthwise(Sketch& d) {
  static const int64_t taps[] = {1, 2, 3, 3, 3, 5, 5, 7};
  convolve_numbers(d, square_windows(d, d.any_of(taps), d.between(1, 2), 24), 1, 1, d.extent(200));
}
void numbers_groups(Sketch& d) {
  convolve_numbers(d, any_windows(d, 2, 3, 10), d.extent(20), d.extent(40), d.between(2, 5));
}
void numbers_axes(Sketch& d) {
  const bool line = d.one_in(2);
  convolve_numbers(d, any_windows(d, line ? 1 : 3, line ? 9 : 3, line ? 80 : 7), d.extent(40), d.extent(40), 1);
}

void numbers_matmul(Sketch& d) {
  Numbers n(d);
  const int64_t depth = d.one_in(5) ? d.between(200, 700) : d.extent(130), rows = d.extent(90);
  const int64_t columns = std::min<int64_t>(d.extent(150), 1 + kMostNumbers / (rows * depth));
  const bool transposed = d.one_in(3);
  const double data_scale = n.scale(2, 5);
  const int64_t most = magnitude(d, depth);
  const Ints batch = d.one_in(3) && !transposed ? Ints{2, rows, depth} : Ints{rows, depth};
  finish_product(d, n, depth, most, data_scale, [&](bool biased) {
    const Numbers::Weights weights =
        n.weights(transposed ? Ints{columns, depth} : Ints{depth, columns}, transposed ? 0 : 1, most);
    const ValueId x = n.data(batch, data_scale);
    if (transposed) {
      std::vector<ValueId> operands = {x, weights.value};
      if (biased) operands.push_back(n.bias(weights, data_scale, columns));
      return std::pair(d.op("gemm", operands, {{"transB", int64_t{1}}}), weights.scales[0]);
    }
    ValueId y = d.op("matmul", {x, weights.value});
    if (biased) y = d.op("add", {y, n.bias(weights, data_scale, columns)});
    return std::pair(y, weights.scales[0]);
  });
}

// Functions of bytes and pairs of them, by tables or in f32.
void numbers_pointwise(Sketch& d) {
  Numbers n(d);
  Ints extents = {d.between(1, 3)};
  for (int64_t i = d.between(0, 3); i > 0; --i) extents.push_back(d.extent(40));
  ValueId y = n.data(extents, n.scale(2, 5));
  if (d.one_in(2)) {
    static const char* const names[] = {"add", "sub", "mul", "max"};
    Ints other = extents;
    for (int64_t& extent : other) extent = d.one_in(3) ? 1 : extent;
    y = d.op(d.any_of(names), {y, n.data(other, n.scale(2, 5))});
  }
  y = n.activation(y);
  if (d.one_in(3)) {
    const double scale = n.scale(2, 4);
    const DataType type = n.byte();
    const ValueId zero = n.zero(type), step = n.number(scale);
    y = n.activation(d.op("dequantize_linear", {d.op("quantize_linear", {y, step, zero}), step, zero}));
  }
  d.finish(n.quantized(y, n.scale(0, 4)));
}

}  // namespace

std::span<const Family> quantized_families() {
  static const Family families[] = {
      {"int8.conv", numbers_conv},           {"int8.conv.deep", numbers_deep},   {"int8.conv.1x1", numbers_1x1},
      {"int8.conv.3x3", numbers_3x3},        {"int8.conv.first", numbers_first}, {"int8.depthwise", numbers_depthwise},
      {"int8.conv.groups", numbers_groups},  {"int8.conv.axes", numbers_axes},   {"int8.matmul", numbers_matmul},
      {"int8.pointwise", numbers_pointwise},
  };
  return families;
}

}  // namespace planish::testing
