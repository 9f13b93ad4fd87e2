#include "importers/caffe/graph/weights.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"
#include "base/error.h"
#include "base/hash.h"
#include "tensor/data_type.h"
#include "tensor/shape.h"

namespace planish::caffe {
namespace {

// Axes of extent 1 at the front do not count: files of old say [1, 1, 1, 32] for 32 values.
std::span<const int64_t> essential(const std::vector<int64_t>& extents) {
  const auto first = std::find_if(extents.begin(), extents.end(), [](int64_t extent) { return extent != 1; });
  return {first, extents.end()};
}

// Numbers of [0, 1), the same on every machine (splitmix64).
struct Draws {
  uint64_t state;

  double next() {
    uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }
};

// Uniform of variance 2 / (values that one result sums), which ReLU halves.
Tensor drawn_tensor(uint64_t seed, const std::vector<int64_t>& extents) {
  const int64_t count = checked_product(extents);
  const int64_t summed = extents.size() < 2 || extents[0] == 0 ? 1 : count / extents[0];
  const double bound = extents.size() < 2 ? 0.1 : std::sqrt(6.0 / static_cast<double>(std::max<int64_t>(summed, 1)));
  Draws draws{seed};
  return Tensor::make(DataType::f32, extents, [&](std::byte* out) {
    for (int64_t i = 0; i < count; ++i)
      reinterpret_cast<float*>(out)[i] = static_cast<float>((2 * draws.next() - 1) * bound);
  });
}

Tensor filled_tensor(float value, const std::vector<int64_t>& extents) {
  const int64_t count = checked_product(extents);
  return Tensor::make(DataType::f32, extents,
                      [&](std::byte* out) { std::fill_n(reinterpret_cast<float*>(out), count, value); });
}

// Values of f16, as f32.
Tensor halved(const Tensor& values) {
  constexpr float kLargest = 65504;
  return Tensor::make(DataType::f32, values.extents(), [&](std::byte* out) {
    auto* to = reinterpret_cast<float*>(out);
    for (const float value : values.as<float>()) *to++ = to_float(to_half(std::clamp(value, -kLargest, kLargest)));
  });
}

}  // namespace

std::string extents_text(const std::vector<int64_t>& extents) { return Shape::of(extents).str(); }

void LayerWeights::charge(const std::vector<int64_t>& extents) const {
  if ((*left -= checked_product(extents)) >= 0) return;
  fail(Code::unsupported, "random weights {}: with those before more than are made up at most", extents_text(extents));
}

Tensor LayerWeights::tensor(size_t i, const std::vector<int64_t>& extents, Made made) const {
  const Tensor values = exact(i, extents, made);
  return half ? halved(values) : values;
}

Tensor LayerWeights::exact(size_t i, const std::vector<int64_t>& extents, Made made) const {
  if (blobs == nullptr) charge(extents);
  if (blobs == nullptr)
    return made == Made::drawn ? drawn_tensor(hash_combine(seed, i), extents)
                               : filled_tensor(made == Made::ones ? 1 : 0, extents);
  const wire::Blob& blob = blobs->at(i);
  return with_context([&] { return fmt::format("blob {}", i); },
                      [&] {
                        blob.count();
                        if (!std::ranges::equal(essential(blob.extents), essential(extents)))
                          fail(Code::invalid_model, "{} in the weights' file, the layer takes {}",
                               extents_text(blob.extents), extents_text(extents));
                        return blob.tensor(extents);
                      });
}

}  // namespace planish::caffe
