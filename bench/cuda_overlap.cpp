// Several contexts of one engine on a GPU, each with a stream and pinned memory of its own, so that the copies of one
// overlap with the kernels of another: executions a second, beside one context.
//
//   bench_cuda_overlap PLAN [CONTEXTS [SECONDS [DEVICE]]]
//
// Also: how long a change of address and a change of shape take until the call to enqueue has returned.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "planish/planish.hpp"

namespace {

using Clock = std::chrono::steady_clock;

double microseconds(Clock::time_point since) {
  return std::chrono::duration<double, std::micro>(Clock::now() - since).count();
}

// A context whose bindings lie in pinned memory.
struct Lane {
  Lane(const planish::Engine& engine, const planish::Device& device,
       const std::map<std::string, planish::Extents>& shapes)
      : context(engine), stream(device) {
    for (const auto& [name, shape] : shapes) context.set_shape(name, shape);
    for (const planish::Binding& binding : engine.bindings()) {
      const auto bytes = static_cast<size_t>(context.bytes(binding.name));
      memory.emplace_back(device, bytes, planish::Memory::Kind::host);
      std::fill_n(static_cast<char*>(memory.back().data()), bytes, 0);
      context.bind(binding.name, memory.back().data(), bytes);
    }
  }
  std::vector<planish::Memory> memory;
  planish::Context context;
  planish::Stream stream;
};

std::map<std::string, planish::Extents> shapes_of(const planish::Engine& engine, bool largest) {
  std::map<std::string, planish::Extents> shapes;
  for (const planish::Binding& binding : engine.bindings()) {
    const planish::Range range = engine.range(binding.name);
    if (binding.is_input) shapes[binding.name] = largest ? range.max : range.opt;
  }
  return shapes;
}

// Two executions of each lane are in flight.
double rate(std::vector<std::unique_ptr<Lane>>& lanes, double seconds) {
  for (auto& lane : lanes) lane->context.enqueue(lane->stream), lane->stream.synchronize();
  std::vector<std::unique_ptr<planish::Event>> done;
  for (auto& lane : lanes) done.push_back(std::make_unique<planish::Event>(lane->stream));
  const auto begin = Clock::now();
  int64_t count = 0;
  for (auto& lane : lanes) lane->context.enqueue(lane->stream);
  for (size_t i = 0; i < lanes.size(); ++i) done[i]->record(lanes[i]->stream);
  while (microseconds(begin) < seconds * 1e6)
    for (size_t i = 0; i < lanes.size(); ++i, ++count) {
      lanes[i]->context.enqueue(lanes[i]->stream);
      done[i]->synchronize();
      done[i]->record(lanes[i]->stream);
    }
  for (auto& lane : lanes) lane->stream.synchronize();
  return static_cast<double>(count) / (microseconds(begin) * 1e-6);
}

// Least, median and most of some calls.
template <class Call>
void report(const char* what, Call call, int count = 64) {
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const auto begin = Clock::now();
    call(i);
    times.push_back(microseconds(begin));
  }
  std::sort(times.begin(), times.end());
  std::printf("%-34s min %9.1f  median %9.1f  max %9.1f us\n", what, times.front(), times[times.size() / 2],
              times.back());
}

void report_changes(const planish::Engine& engine, const planish::Device& device) {
  const auto typical = shapes_of(engine, false), largest = shapes_of(engine, true);
  Lane lane(engine, device, largest);
  const planish::Binding first = engine.binding(0);
  const auto bytes = static_cast<size_t>(lane.context.bytes(first.name));
  std::vector<planish::Memory> inputs;
  for (int i = 0; i < 64; ++i) inputs.emplace_back(device, bytes);
  lane.context.enqueue(lane.stream);
  report("enqueue", [&](int) { lane.context.enqueue(lane.stream); });
  lane.stream.synchronize();
  report("new device address, enqueue", [&](int i) {
    lane.context.bind(first.name, inputs[static_cast<size_t>(i)].data(), bytes);
    lane.context.enqueue(lane.stream);
  });
  lane.stream.synchronize();
  report("device address seen, enqueue", [&](int i) {
    lane.context.bind(first.name, inputs[static_cast<size_t>(i % 2)].data(), bytes);
    lane.context.enqueue(lane.stream);
  });
  lane.stream.synchronize();
  if (typical == largest) return;
  constexpr int kShapes = 8;
  std::map<std::string, planish::Range> ranges;
  for (const auto& [name, shape] : largest) ranges.emplace(name, engine.range(name));
  report(
      "shape not seen before, enqueue",
      [&](int i) {
        for (const auto& [name, range] : ranges) {
          planish::Extents shape = range.min;
          for (size_t axis = 0; axis < shape.size(); ++axis)
            shape[axis] += (range.max[axis] - shape[axis]) * i / kShapes;
          lane.context.set_shape(name, shape);
        }
        lane.context.enqueue(lane.stream);
      },
      kShapes);
  lane.stream.synchronize();
  report("shape seen, enqueue", [&](int i) {
    for (const auto& [name, shape] : i % 2 == 0 ? typical : largest) lane.context.set_shape(name, shape);
    lane.context.enqueue(lane.stream);
  });
  lane.stream.synchronize();
}

void run(const char* plan, int contexts, double seconds, const char* kind) {
  const planish::Device device(kind, 1);
  const planish::Engine engine(plan, {.device = &device});
  const auto shapes = shapes_of(engine, false);
  std::vector<std::unique_ptr<Lane>> lanes;
  double one = 0;
  for (int count = 1; count <= contexts; ++count) {
    lanes.push_back(std::make_unique<Lane>(engine, device, shapes));
    const double now = rate(lanes, seconds);
    if (count == 1) one = now;
    std::printf("%d context%s %10.1f executions/s  %.2f of one\n", count, count == 1 ? ": " : "s:", now, now / one);
  }
  report_changes(engine, device);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "bench_cuda_overlap PLAN [CONTEXTS [SECONDS [DEVICE]]]\n"), 2;
  try {
    run(argv[1], argc > 2 ? std::atoi(argv[2]) : 2, argc > 3 ? std::atof(argv[3]) : 2, argc > 4 ? argv[4] : "cuda");
    return 0;
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
  }
}
