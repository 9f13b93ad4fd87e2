// build_run PLAN: builds a small network by hand, writes its plan, feeds it with sin(i) and prints its output.
#include <cmath>
#include <cstdio>
#include <planish/planish.hpp>

namespace {

std::vector<float> waves(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(std::sin(static_cast<double>(i)));
  return values;
}

planish::Network network() {
  planish::Network net("consumer");
  const auto x = net.input("x", planish::DataType::f32, {"N", 8});
  const auto hidden =
      planish::fully_connected(net, x, net.constant({16, 8}, waves(128)), net.constant({16}, waves(16)));
  const auto active = planish::activation(net, hidden, planish::Activation::relu);
  net.mark_output(planish::fully_connected(net, active, net.constant({4, 16}, waves(64))), "y");
  net.set_range("N", 1, 3, 16);
  return net;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) return 2;
  planish::BuildOptions options;
  options.tuning = planish::Tuning::off;
  const planish::Plan plan = planish::build(network(), options);
  plan.save(argv[1]);
  const planish::Engine engine(plan);
  planish::Context context(engine);
  context.set_shape("x", {3, 8});
  const auto x = waves(24);
  std::vector<float> y(static_cast<size_t>(planish::element_count(context.shape("y"))));
  context.bind("x", x);
  context.bind("y", y);
  context.run();
  for (float value : y) std::printf("%.6f\n", static_cast<double>(value));
  return 0;
} catch (const planish::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
