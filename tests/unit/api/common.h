#pragma once
// A small network made with the public interface, and what several tests do with it.

#include <random>
#include <string>
#include <vector>

#include "planish/planish.hpp"

namespace planish::testing {

inline std::vector<float> random_values(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> unit(-1, 1);
  std::vector<float> values(count);
  for (float& value : values) value = unit(random);
  return values;
}

inline Value random_constant(Network& net, const Extents& extents, uint32_t seed) {
  return net.constant(extents, random_values(static_cast<size_t>(element_count(extents)), seed));
}

// x [N,3,8,8] -> conv, relu, max pool, residual conv, relu, fully connected, softmax -> y [N,10].
inline Network small_network() {
  Network net("small");
  const Value x = net.input("x", DataType::f32, {"N", 3, 8, 8});
  const Window same{.pads = {1, 1, 1, 1}};
  const Value c1 =
      convolution(net, x, random_constant(net, {8, 3, 3, 3}, 1), random_constant(net, {8}, 2), same, 1, "conv1");
  const Value p1 = max_pool(net, activation(net, c1, Activation::relu), {.kernel = {2, 2}, .strides = {2, 2}}, "pool1");
  const Value c2 = convolution(net, p1, random_constant(net, {8, 8, 3, 3}, 3), {}, same, 1, "conv2");
  const Value r2 = activation(net, elementwise(net, Elementwise::add, c2, p1), Activation::relu);
  const Value fc = fully_connected(net, r2, random_constant(net, {10, 128}, 4), random_constant(net, {10}, 5), "fc");
  net.mark_output(softmax(net, fc), "y");
  return net;
}

inline BuildOptions untuned(std::vector<InputRanges> profiles = {{{"x", {1, 3, 8, 8}, {2, 3, 8, 8}, {4, 3, 8, 8}}}}) {
  BuildOptions options;
  options.tuning = Tuning::off;
  options.threads = 2;
  options.profiles = std::move(profiles);
  return options;
}

inline std::vector<float> run(Context& context, int64_t batch, std::vector<float> x) {
  context.set_shape("x", {batch, 3, 8, 8});
  std::vector<float> y(static_cast<size_t>(batch) * 10);
  context.bind("x", x);
  context.bind("y", y);
  context.run();
  return y;
}

// What `body` throws; code ok when it does not.
template <class Body>
Error error_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::ok, "");
}

}  // namespace planish::testing
