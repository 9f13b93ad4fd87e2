// Products of reduced precision against plain loops, at every level and for every instruction that the host has.

#include "kernels/mma.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "kernels/kernel.h"
#include "support/kernel_cases.h"
#include "tactics/cpu/common/mma_packing.h"

namespace planish {
namespace {

using testing::as_bf16;
using testing::random_integers;

constexpr Mma kMmas[] = {Mma::madd_i16, Mma::dot_i8, Mma::tile_i8, Mma::dot_bf16, Mma::tile_bf16, Mma::tile_tf32};

struct Size {
  int64_t images, channels, height, width, filters, group, kernel, stride, dilation, pad;
};

Size random_size(std::mt19937& random) {
  const auto any = [&](int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random); };
  Size s{any(1, 2),         any(1, 40), any(1, 12), any(1, 40), any(1, 40), any(0, 3) == 0 ? any(2, 3) : 1,
         any(0, 2) * 2 + 1, any(1, 2),  any(1, 2),  any(0, 2)};
  if (any(0, 3) == 0) s.channels = 3;  // pictures
  s.height = std::max(s.height, s.dilation * (s.kernel - 1) + 1);
  s.width = std::max(s.width, s.dilation * (s.kernel - 1) + 1);
  return s;
}

int64_t out_extent(int64_t in, const Size& s) {
  return (in + 2 * s.pad - s.dilation * (s.kernel - 1) - 1) / s.stride + 1;
}

MmaAttrs attrs_for(const Size& s, Mma mma) {
  MmaAttrs attrs;
  attrs.mma = static_cast<int64_t>(mma);
  attrs.group = s.group;
  attrs.columns = s.filters;
  attrs.kernel = {s.kernel, s.kernel};
  attrs.strides = {s.stride, s.stride};
  attrs.dilations = {s.dilation, s.dilation};
  attrs.pads = {s.pad, s.pad};
  attrs.has_bias = 1;
  return attrs;
}

// sum over the window of (x - zero) w, in double: x [N, C, H, W], w [M, C/group, k, k]
template <class X, class W>
std::vector<double> windows(const Size& s, const Tensor& x, int64_t zero, const Tensor& w) {
  const auto xs = x.as<X>();
  const auto ws = w.as<W>();
  const int64_t oh = out_extent(s.height, s), ow = out_extent(s.width, s), c_all = s.channels * s.group;
  std::vector<double> sums;
  for (int64_t n = 0; n < s.images; ++n)
    for (int64_t m = 0; m < s.filters * s.group; ++m)
      for (int64_t y = 0; y < oh; ++y)
        for (int64_t z = 0; z < ow; ++z) {
          double sum = 0;
          for (int64_t c = 0; c < s.channels; ++c)
            for (int64_t i = 0; i < s.kernel; ++i)
              for (int64_t j = 0; j < s.kernel; ++j) {
                const int64_t row = y * s.stride - s.pad + i * s.dilation,
                              column = z * s.stride - s.pad + j * s.dilation;
                if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
                const int64_t at = ((n * c_all + m / s.filters * s.channels + c) * s.height + row) * s.width + column;
                sum +=
                    (static_cast<double>(xs[static_cast<size_t>(at)]) - static_cast<double>(zero)) *
                    static_cast<double>(ws[static_cast<size_t>(((m * s.channels + c) * s.kernel + i) * s.kernel + j)]);
              }
          sums.push_back(sum);
        }
  return sums;
}

template <class W>
Tensor packed(const Size& s, Mma mma, Isa isa, const Tensor& w) {
  return tactics::cpu::pack_filter_words(mma, isa, attrs_for(s, mma), s.channels, s.kernel * s.kernel, w.as<W>());
}

// As a context calls it, the workspace full of what others left there.
void call(const Kernel& kernel, KernelArgs& args) {
  kernel.check(args);
  const auto bytes = static_cast<size_t>(kernel.workspace(args));
  std::vector<std::byte> memory(bytes + 64, std::byte{0xff});
  void* aligned = memory.data();
  size_t space = memory.size();
  args.workspace = static_cast<std::byte*>(std::align(64, bytes, aligned, space));
  kernel.run(args);
}

std::vector<TensorView> views_of(const std::vector<Tensor>& operands) {
  std::vector<TensorView> views;
  for (const Tensor& operand : operands) views.push_back(operand.view());
  return views;
}

Tensor run_kernel(Isa isa, std::string_view name, const Attrs& attrs, const std::vector<TensorView>& inputs,
                  DataType type, const std::vector<int64_t>& extents) {
  const Kernel* kernel = cpu_kernels(isa).find(name);
  const auto params = kernel->decode(attrs);
  ThreadPool pool(2);
  return Tensor::make(type, extents, [&](std::byte* out) {
    // channels last, then put in order
    TensorView view = make_view(nullptr, type, extents, extents.size() > 2 ? Layout::channels_last : Layout::row_major);
    std::vector<std::byte> memory(static_cast<size_t>(view.element_count() * element_bytes(type)));
    view.data = memory.data();
    KernelArgs args;
    args.inputs = inputs;
    args.outputs = {&view, 1};
    args.params = params.get();
    args.pool = &pool;
    call(*kernel, args);
    copy_view(view, make_view(out, type, extents));
  });
}

// Rows behind the weights: bias, and of integers scales and offsets that take the zero point (and the 128 that signed
// bytes are raised by) back out of the sums.
struct Rows {
  std::vector<float> bias, scales;
  std::vector<int32_t> offsets;
};

Rows random_rows(std::mt19937& random, int64_t columns) {
  Rows rows;
  std::uniform_real_distribution<float> any(-1, 1);
  for (int64_t i = 0; i < columns; ++i) {
    rows.bias.push_back(any(random) * 40);
    rows.scales.push_back(std::abs(any(random)) * 0.02f + 1e-3f);
    rows.offsets.push_back(0);
  }
  return rows;
}

Tensor row_of(const std::vector<float>& values) {
  return Tensor::of<float>({static_cast<int64_t>(values.size())}, values);
}
Tensor row_of(const std::vector<int32_t>& values) {
  return Tensor::of<int32_t>({static_cast<int64_t>(values.size())}, values);
}

// The same elements, channels last in memory.
struct ChannelsLast {
  Tensor memory;
  TensorView view;
  explicit ChannelsLast(const Tensor& t)
      : memory(Tensor::make(t.dtype(), t.extents(), [&](std::byte* out) { copy_view(t.view(), at(t, out)); })),
        view(at(t, const_cast<std::byte*>(memory.bytes().data()))) {}
  static TensorView at(const Tensor& t, std::byte* data) {
    return make_view(data, t.dtype(), t.extents(), Layout::channels_last);
  }
};

template <class X>
void check_integers(const Size& s, Mma mma, Isa isa, uint32_t seed) {
  std::mt19937 random(seed);
  const int64_t low = std::is_signed_v<X> ? -128 : 0, zero = low + static_cast<int64_t>(random() % 256);
  const Tensor x = random_integers<X>({s.images, s.channels * s.group, s.height, s.width}, seed + 1, low, low + 255);
  const Tensor w = random_integers<int8_t>({s.filters * s.group, s.channels, s.kernel, s.kernel}, seed + 2, -128, 127);
  Rows rows = random_rows(random, s.filters * s.group);
  const bool raised = mma != Mma::madd_i16 && std::is_signed_v<X>;
  const auto ws = w.as<int8_t>();
  const size_t depth = ws.size() / rows.offsets.size();
  for (size_t i = 0; i < ws.size(); ++i)
    rows.offsets[i / depth] -= static_cast<int32_t>(zero + (raised ? 128 : 0)) * ws[i];
  MmaAttrs attrs = attrs_for(s, mma);
  attrs.x_zero = zero;
  attrs.residual = 1;
  attrs.residual_zero = 7;
  attrs.residual_scale = 0.25;
  attrs.out_zero = 3;
  attrs.clamped = seed % 5 != 0;
  attrs.low = -100;
  attrs.high = 110;
  attrs.inner_scale = seed % 3 == 0 ? 0 : 0.75;  // a number in front of the residual
  attrs.inner_signed = seed % 3 == 1;
  attrs.inner_zero = attrs.inner_signed != 0 ? -20 : 90;
  if (seed % 7 < 3) attrs.table = "1: r1 = constant(-1.0); r2 = mul(r0, r1); return r2";
  attrs.table_signed = 1;
  attrs.row_blocks = static_cast<int64_t>(random() % 3);
  const std::vector<int64_t> extents = {s.images, s.filters * s.group, out_extent(s.height, s), out_extent(s.width, s)};
  const Tensor residual = random_integers<uint8_t>(extents, seed + 3, 0, 255);
  const ChannelsLast rotated(residual);
  const auto sums = windows<X, int8_t>(s, x, zero, w);
  const auto planes = static_cast<size_t>(extents[2] * extents[3]), columns = rows.bias.size();
  std::vector<int8_t> expected;
  const auto rs = residual.as<uint8_t>();
  for (size_t i = 0; i < sums.size(); ++i) {
    const size_t c = i / planes % columns;
    float v = static_cast<float>(static_cast<int32_t>(sums[i])) * rows.scales[c] + rows.bias[c];
    const float least = attrs.inner_signed != 0 ? -108.f : -90.f;
    if (attrs.inner_scale > 0) v = std::clamp(std::nearbyint(v), least, least + 255) * 0.75f;
    v += (static_cast<float>(rs[i]) - 7.f) * 0.25f;
    if (attrs.clamped != 0) v = std::clamp(v, -100.f, 110.f);
    const auto number = static_cast<int8_t>(std::clamp(std::nearbyint(v) + 3, -128.f, 127.f));
    expected.push_back(attrs.table.empty() ? number : static_cast<int8_t>(std::min(-number, 127)));
  }
  const std::vector<Tensor> operands = {x, packed<int8_t>(s, mma, isa, w), row_of(rows.bias), row_of(rows.scales),
                                        row_of(rows.offsets)};
  std::vector<TensorView> inputs = views_of(operands);
  inputs.push_back(rotated.view);
  const ChannelsLast pixels(x);
  if (seed % 4 > 1) inputs[0] = pixels.view;
  const Tensor result = run_kernel(isa, "mma_conv", attrs_of(attrs), inputs, DataType::i8, extents);
  const auto values = result.as<int8_t>();
  const std::vector<int8_t> found(values.begin(), values.end());
  EXPECT_EQ(found, expected) << isa_name(isa) << " kind " << attrs.mma << " seed " << seed;
}

// `half`: the image, what is added and the result lie as bf16; the image's pixels apart in a wider tensor.
void check_floats(const Size& s, Mma mma, Isa isa, uint32_t seed, bool half) {
  std::mt19937 random(seed);
  const Tensor image = testing::integer_tensor({s.images, s.channels * s.group, s.height, s.width}, seed + 1);
  const Tensor x = half ? as_bf16(image) : image;
  const Tensor w = testing::integer_tensor({s.filters * s.group, s.channels, s.kernel, s.kernel}, seed + 2);
  Rows rows = random_rows(random, s.filters * s.group);
  for (float& bias : rows.bias) bias = std::nearbyint(bias);  // exact wherever among the sums it is added
  const auto sums = windows<float, float>(s, image, 0, w);
  const std::vector<int64_t> extents = {s.images, s.filters * s.group, out_extent(s.height, s), out_extent(s.width, s)};
  const auto planes = static_cast<size_t>(extents[2] * extents[3]);
  // As it is; a residual within bounds; an activation and an addend.
  const Tensor added = testing::integer_tensor(extents, seed + 3);
  const ChannelsLast rotated(half ? as_bf16(added) : added);
  MmaAttrs attrs = attrs_for(s, mma);
  attrs.residual = attrs.clamped = seed % 3 == 1;
  attrs.row_blocks = static_cast<int64_t>(random() % 4);
  attrs.low = -50;
  attrs.high = 60;
  if (seed % 3 == 2)
    attrs.program =
        "2: r2 = constant(0.5); r3 = mul(r0, r2); r4 = constant(0.0); r5 = greater(r0, r4); r6 = select(r5, r0, r3); "
        "r7 = add(r6, r1); return r7";
  std::vector<float> expected;
  for (size_t i = 0; i < sums.size(); ++i) {
    const float v = static_cast<float>(sums[i]) + rows.bias[i / planes % rows.bias.size()], a = added.as<float>()[i];
    const float ends[] = {v, std::clamp(v + a, -50.f, 60.f), (v > 0 ? v : v / 2) + a};
    expected.push_back(half ? to_float(to_bfloat16(ends[seed % 3])) : ends[seed % 3]);
  }
  const std::vector<Tensor> operands = {x, packed<float>(s, mma, isa, w), row_of(rows.bias)};
  std::vector<TensorView> inputs = views_of(operands);
  const int64_t apart = (s.channels * s.group + 3) / 2 * 2;
  TensorView wide = x.view();
  wide.strides = {s.height * s.width * apart, 1, s.width * apart, apart};
  std::vector<uint32_t> memory(static_cast<size_t>(s.images * s.height * s.width * apart));
  wide.data = memory.data();
  copy_view(x.view(), wide);
  if (half) inputs[0] = wide;
  if (seed % 3 != 0) inputs.push_back(rotated.view);
  const DataType type = half ? DataType::bf16 : DataType::f32;
  const auto values = run_kernel(isa, "mma_conv", attrs_of(attrs), inputs, type, extents).to_doubles();
  EXPECT_EQ(std::vector<float>(values.begin(), values.end()), expected)
      << (half ? "bf16 " : "") << isa_name(isa) << " kind " << static_cast<int>(mma) << " seed " << seed;
}

template <class Check>
void for_host_mmas(Check check) {
  for (Isa isa : kIsas)
    for (Mma mma : kMmas)
      if (cpu_info().has(isa) && has_mma(isa, mma)) check(isa, mma);
}

TEST(Mma, IntegersAreExact) {
  for_host_mmas([](Isa isa, Mma mma) {
    if (!mma_format(mma, code_level(isa)).integer) return;
    std::mt19937 random(5);
    for (uint32_t i = 0; i < 60; ++i) {
      const Size size = random_size(random);
      i % 2 == 0 ? check_integers<uint8_t>(size, mma, isa, i) : check_integers<int8_t>(size, mma, isa, i);
    }
  });
}

// A group a channel: windows that reach over every border, tails of channels, pixels apart in a wider tensor.
template <class X>
void check_depthwise(Size s, Mma mma, Isa isa, uint32_t seed) {
  std::mt19937 random(seed);
  s.channels = s.filters = 1;
  s.group = static_cast<int64_t>(random() % 70 + 1);
  s.pad = static_cast<int64_t>(random() % 4);
  const int64_t low = std::is_signed_v<X> ? -128 : 0, zero = low + static_cast<int64_t>(random() % 256);
  const std::vector<int64_t> image = {s.images, s.group, s.height, s.width};
  const Tensor x = random_integers<X>(image, seed + 1, low, low + 255);
  const Tensor w = random_integers<int8_t>({s.group, 1, s.kernel, s.kernel}, seed + 2, -128, 127);
  const int64_t apart = s.group + static_cast<int64_t>(random() % 3);
  TensorView wide = x.view();
  wide.strides = {s.height * s.width * apart, 1, s.width * apart, apart};
  std::vector<X> memory(static_cast<size_t>(s.images * s.height * s.width * apart));
  wide.data = memory.data();
  copy_view(x.view(), wide);
  Rows rows = random_rows(random, s.group);
  const auto ws = w.as<int8_t>();
  const int64_t taps = s.kernel * s.kernel;
  const bool raised = std::is_signed_v<X> && mma == Mma::dot_i8;
  for (size_t i = 0; i < ws.size(); ++i)
    rows.offsets[i / static_cast<size_t>(taps)] -= static_cast<int32_t>(zero + (raised ? 128 : 0)) * ws[i];
  MmaAttrs attrs = attrs_for(s, mma);
  attrs.group = 1;
  attrs.columns = s.group;
  attrs.x_zero = zero;
  attrs.out_zero = 100;
  if (seed % 5 == 1) attrs.table = "1: r1 = constant(200.0); r2 = sub(r1, r0); return r2";
  const std::vector<int64_t> extents = {s.images, s.group, out_extent(s.height, s), out_extent(s.width, s)};
  const auto sums = windows<X, int8_t>(s, x, zero, w);
  const auto planes = static_cast<size_t>(extents[2] * extents[3]);
  std::vector<uint8_t> expected;
  for (size_t i = 0; i < sums.size(); ++i) {
    const size_t c = i / planes % rows.bias.size();
    const float v = static_cast<float>(static_cast<int32_t>(sums[i])) * rows.scales[c] + rows.bias[c];
    const float number = std::clamp(std::nearbyint(v) + 100, 0.f, 255.f);
    expected.push_back(static_cast<uint8_t>(attrs.table.empty() ? number : std::max(200 - number, 0.f)));
  }
  if (mma == Mma::dot_i8 && !DepthwiseWords(attrs, code_level(isa)).fits()) return;
  const Tensor packed_weights =
      mma == Mma::dot_i8 ? tactics::cpu::pack_depthwise(isa, attrs, std::vector<int16_t>(ws.begin(), ws.end()))
                         : tactics::cpu::pack_words(mma, isa, 1, s.group, taps, [&](int64_t, int64_t n, int64_t k) {
                             return ws[static_cast<size_t>(n * taps + k)];
                           });
  const std::vector<Tensor> operands = {x, packed_weights, row_of(rows.bias), row_of(rows.scales),
                                        row_of(rows.offsets)};
  std::vector<TensorView> inputs = views_of(operands);
  inputs[0] = wide;
  const Tensor result = run_kernel(isa, "mma_depthwise", attrs_of(attrs), inputs, DataType::u8, extents);
  const auto values = result.as<uint8_t>();
  EXPECT_EQ(std::vector<uint8_t>(values.begin(), values.end()), expected)
      << isa_name(isa) << " kind " << static_cast<int>(mma) << " seed " << seed;
}

TEST(Mma, DepthwiseIsExact) {
  for_host_mmas([](Isa isa, Mma mma) {
    if (mma != Mma::madd_i16 && mma != Mma::dot_i8) return;
    std::mt19937 random(9);
    for (uint32_t i = 0; i < 120; ++i) {
      const Size size = random_size(random);
      i % 2 == 0 ? check_depthwise<uint8_t>(size, mma, isa, i) : check_depthwise<int8_t>(size, mma, isa, i);
    }
  });
}

// Small integers are bf16 numbers, and so are their parts.
TEST(Mma, FloatsOfFewBitsAreExact) {
  for_host_mmas([](Isa isa, Mma mma) {
    if (mma_format(mma, code_level(isa)).integer) return;
    std::mt19937 random(6);
    for (uint32_t i = 0; i < 60; ++i) check_floats(random_size(random), mma, isa, i, false);
    for (uint32_t i = 0; i < 90 && mma != Mma::tile_tf32; ++i) check_floats(random_size(random), mma, isa, i, true);
  });
}

// x = high + low loses 2^-16 of x at most: products are far closer than with 10 bits of mantissa (TF32: 3e-4).
TEST(Mma, TwoPartsAreCloserThanTf32) {
  for_host_mmas([](Isa isa, Mma mma) {
    if (mma_format(mma, code_level(isa)).integer) return;
    const Size s{1, 64, 14, 14, 64, 1, 3, 1, 1, 1};
    const Tensor x = testing::random_tensor({1, 64, 14, 14}, 1), w = testing::random_tensor({64, 64, 3, 3}, 2);
    const auto sums = windows<float, float>(s, x, 0, w);
    const Tensor found = run_kernel(isa, "mma_conv", attrs_of(attrs_for(s, mma)),
                                    views_of({x, packed<float>(s, mma, isa, w), row_of(std::vector<float>(64, 0.f))}),
                                    DataType::f32, {1, 64, 14, 14});
    double error = 0, size = 0;
    const auto values = found.as<float>();
    for (size_t i = 0; i < sums.size(); ++i) {
      error += std::pow(values[i] - sums[i], 2);
      size += sums[i] * sums[i];
    }
    EXPECT_LE(std::sqrt(error / size), mma == Mma::tile_tf32 ? 2e-5 : 5e-3) << isa_name(isa);
  });
}

// Whole panels, rows in chunks; what is added comes behind.
TEST(Mma, SiluIsWithinTheRoundingOfTheResult) {
  for_host_mmas([](Isa isa, Mma mma) {
    if (mma_format(mma, code_level(isa)).integer) return;
    const Size s{1, 32, 9, 11, 64, 1, 1, 1, 1, 0};
    const Tensor x = testing::integer_tensor({1, 32, 9, 11}, 1), w = testing::integer_tensor({64, 32, 1, 1}, 2);
    const std::vector<int64_t> extents = {1, 64, 9, 11};
    const Tensor added = testing::integer_tensor(extents, 3);
    const auto sums = windows<float, float>(s, x, 0, w);
    for (const bool adds : {false, true}) {
      MmaAttrs attrs = attrs_for(s, mma);
      attrs.row_blocks = 1;
      attrs.program = adds ? "2: r2 = sigmoid(r0); r3 = mul(r0, r2); r4 = add(r1, r3); return r4"
                           : "1: r1 = sigmoid(r0); r2 = mul(r1, r0); return r2";
      const ChannelsLast rotated(added);
      const std::vector<float> bias(64, 0.f);
      const std::vector<Tensor> operands = {x, packed<float>(s, mma, isa, w), row_of(bias)};
      std::vector<TensorView> inputs = views_of(operands);
      if (adds) inputs.push_back(rotated.view);
      const auto found = run_kernel(isa, "mma_conv", attrs_of(attrs), inputs, DataType::bf16, extents).to_doubles();
      for (size_t i = 0; i < sums.size(); ++i) {
        const double sum = sums[i] / (1 + std::exp(-sums[i])), all = sum + (adds ? added.as<float>()[i] : 0);
        ASSERT_NEAR(found[i], all, std::abs(all) / 250 + std::abs(sum) * 2e-4 + 1e-30)
            << isa_name(isa) << " kind " << static_cast<int>(mma) << " of " << sums[i];
      }
    }
  });
}

TEST(Mma, InfinitiesAndNansStay) {
  for_host_mmas([](Isa isa, Mma mma) {
    if (mma_format(mma, code_level(isa)).integer) return;
    const Size s{1, 1, 1, 4, 1, 1, 1, 1, 1, 0};
    const Tensor x = Tensor::of<float>({1, 1, 1, 4}, std::vector<float>{INFINITY, -INFINITY, NAN, 2});
    const Tensor w = Tensor::of<float>({1, 1, 1, 1}, std::vector<float>{1});
    const Tensor found = run_kernel(isa, "mma_conv", attrs_of(attrs_for(s, mma)),
                                    views_of({x, packed<float>(s, mma, isa, w), row_of(std::vector<float>{0})}),
                                    DataType::f32, {1, 1, 1, 4});
    const auto values = found.as<float>();
    if (mma != Mma::tile_tf32) {
      EXPECT_EQ(values[0], INFINITY);
      EXPECT_EQ(values[1], -INFINITY);
    }
    EXPECT_FALSE(std::isfinite(values[0]) || std::isfinite(values[1]));
    EXPECT_EQ(values[3], 2);
  });
}

TEST(Mma, MatricesOfAnyExtents) {
  for_host_mmas([](Isa isa, Mma mma) {
    const MmaFormat format = mma_format(mma, code_level(isa));
    std::mt19937 random(8);
    for (int i = 0; i < 30; ++i) {
      const int64_t m = random() % 90 + 1, k = random() % 200 + 1, n = random() % 90 + 1;
      const Tensor a = testing::integer_tensor({m, k}, random()), b = testing::integer_tensor({k, n}, random());
      const auto av = a.as<float>(), bv = b.as<float>();
      std::vector<float> expected(static_cast<size_t>(m * n), 0.f);
      for (int64_t r = 0; r < m; ++r)
        for (int64_t j = 0; j < k; ++j)
          for (int64_t c = 0; c < n; ++c)
            expected[static_cast<size_t>(r * n + c)] +=
                av[static_cast<size_t>(r * k + j)] * bv[static_cast<size_t>(j * n + c)];
      const Tensor words = tactics::cpu::pack_words(
          mma, isa, 1, n, k, [&](int64_t, int64_t c, int64_t j) { return bv[static_cast<size_t>(j * n + c)]; });
      MmaAttrs attrs;
      attrs.mma = static_cast<int64_t>(mma);
      attrs.columns = n;
      const auto columns = static_cast<size_t>(n);
      std::vector<Tensor> operands = {a, words, row_of(std::vector<float>(columns, 0.f))};
      if (format.integer) {
        std::vector<int8_t> bytes(av.begin(), av.end());
        std::vector<int32_t> offsets(columns, 0);
        if (mma != Mma::madd_i16)
          for (size_t j = 0; j < bv.size(); ++j) offsets[j % columns] -= 128 * static_cast<int32_t>(bv[j]);
        operands[0] = Tensor::of<int8_t>({m, k}, bytes);
        operands.push_back(row_of(std::vector<float>(columns, 1.f)));
        operands.push_back(row_of(offsets));
      }
      const Tensor found = run_kernel(isa, "mma_gemm", attrs_of(attrs), views_of(operands), DataType::f32, {m, n});
      const auto values = found.as<float>();
      EXPECT_EQ(std::vector<float>(values.begin(), values.end()), expected) << isa_name(isa) << " kind " << attrs.mma;
    }
  });
}

}  // namespace
}  // namespace planish
