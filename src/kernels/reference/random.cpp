// Random numbers. Element i is a function of (seed, i), so threads and strides do not change it.

#include "kernels/reference/random.h"

#include <atomic>
#include <cmath>
#include <numbers>
#include <random>

#include "kernels/check.h"

namespace planish::kernels::reference {
namespace {

// The output function of splitmix64.
uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// In [0, 1)
double unit(uint64_t stream, uint64_t i) {
  return static_cast<double>(mixed(stream + i * 0x9e3779b97f4a7c15u) >> 11) * 0x1p-53;
}

uint64_t fresh_stream() {
  static const uint64_t start = [] {
    std::random_device device;
    return (static_cast<uint64_t>(device()) << 32) | device();
  }();
  static std::atomic<uint64_t> runs{0};
  return mixed(start + mixed(runs.fetch_add(1) + 1));
}

uint64_t stream_of(const RandomAttrs& attrs) {
  return attrs.seed < 0 ? fresh_stream() : mixed(static_cast<uint64_t>(attrs.seed) + 1);
}

double uniform(const RandomAttrs& attrs, uint64_t stream, uint64_t i) {
  return attrs.first + (attrs.second - attrs.first) * unit(stream, i);
}

// Box and Muller's transform of two uniform numbers
double normal(const RandomAttrs& attrs, uint64_t stream, uint64_t i) {
  const double radius = std::sqrt(-2 * std::log(1 - unit(stream, 2 * i)));
  return attrs.first + attrs.second * radius * std::cos(2 * std::numbers::pi * unit(stream, 2 * i + 1));
}

// the extents, which the result has -> random numbers
void check_random(const KernelArgs& args) {
  const Operands o(args, 0, 1);
  require(is_float(o.out().view().dtype), "random numbers of {}; floats are accepted",
          data_type_name(o.out().view().dtype));
}

template <double (*draw)(const RandomAttrs&, uint64_t, uint64_t)>
void run_random(const KernelArgs& args) {
  const auto& attrs = args.as<RandomAttrs>();
  const TensorView& y = args.outputs[0];
  const uint64_t stream = stream_of(attrs);
  uint64_t i = 0;
  for (Odometer<1> at(y.extents(), {y.strides}); at.valid(); at.next())
    store_double(y, at.offset[0], draw(attrs, stream, i++));
}

}  // namespace

void register_random(KernelTable& table) {
  table.add(make_kernel<RandomAttrs>("random_uniform", check_random, run_random<uniform>));
  table.add(make_kernel<RandomAttrs>("random_normal", check_random, run_random<normal>));
}

}  // namespace planish::kernels::reference
