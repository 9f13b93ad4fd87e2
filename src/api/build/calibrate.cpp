// Calibration with the caller's samples.

#include "compile/calibrate/calibrate.h"

#include "api/build/network.h"
#include "api/build/profiles.h"

using namespace planish;
using planish::api::guarded;
using planish::api::required;

namespace {

std::vector<int64_t> typical_extents(const Graph& graph, const TensorType& type) {
  SymbolValues typical;
  for (const auto& [name, info] : graph.symbols) typical[name] = info.range.opt;
  return type.shape.evaluate(typical);
}

// The caller's next sample, copied.
std::optional<Sample> next_sample(const Graph& graph, const planish_calibration_options& given) {
  std::vector<planish_sample> entries;
  for (ValueId id : graph.inputs()) {
    const Value& input = graph.value(id);
    planish_sample entry{input.name.c_str(), {}, input.type.shape.rank(), nullptr};
    const auto extents = typical_extents(graph, input.type);
    std::copy(extents.begin(), extents.end(), entry.extents);
    entries.push_back(entry);
  }
  const int32_t filled = given.samples(given.samples_user, entries.data(), entries.size());
  if (filled == 0) return std::nullopt;
  if (filled < 0) fail(Code::cancelled, "the source of samples failed");
  Sample sample;
  for (size_t i = 0; i < entries.size(); ++i) {
    const planish_sample& entry = entries[i];
    const Value& input = graph.value(graph.inputs()[i]);
    if (entry.data == nullptr) fail(Code::invalid_argument, "the sample has no data of input '{}'", input.name);
    if (entry.rank != input.type.shape.rank())
      fail(Code::invalid_argument, "the sample has rank {} of input '{}' {}", entry.rank, input.name, input.type.str());
    const std::vector<int64_t> extents(entry.extents, entry.extents + entry.rank);
    for (int64_t extent : extents)
      if (extent < 0) fail(Code::invalid_argument, "the sample has an extent {} of input '{}'", extent, input.name);
    sample[input.name] = Tensor::copy_of(make_view(const_cast<void*>(entry.data), input.type.dtype, extents));
  }
  return sample;
}

CalibrateOptions calibrate_options(const planish_calibration_options& given) {
  CalibrateOptions options;
  if (given.method != nullptr) options.method = parse_method(given.method);
  if (given.percent != 0) options.percent = given.percent;
  if (!(options.percent > 0 && options.percent <= 100))
    fail(Code::invalid_argument, "{} percent of the values; more than 0, up to 100 are accepted", given.percent);
  options.expected = given.count;
  options.correct_bias = given.correct_bias != 0;
  options.progress = api::progress_of(given.progress, given.progress_user);
  return options;
}

}  // namespace

extern "C" planish_status planish_calibrate(const planish_network* network, const planish_calibration_options* given,
                                            const char** table) {
  return guarded([&] {
    required(table, "the result");
    const planish_calibration_options options = read_sized(given, "planish_calibration_options");
    if (options.samples == nullptr) fail(Code::invalid_argument, "the source of samples is NULL");
    const planish_network& of = required(network, "the network");
    if (of.graph.outputs().empty()) fail(Code::invalid_argument, "the network has no outputs");
    std::vector<api::InputRange> ranges;
    if (options.profile != nullptr) {
      const planish_profile profile = read_sized(options.profile, "planish_profile");
      ranges = api::ranges_of(profile.ranges, profile.count);
    }
    Graph graph = of.graph.clone();
    api::apply_ranges(graph, ranges);
    api::require_ranges(of, ranges);
    graph = simplified(std::move(graph));
    const auto device = api::device_or_new(options.device, options.threads);
    of.text =
        print_table(calibrate(graph, *device, calibrate_options(options), [&] { return next_sample(graph, options); }));
    *table = of.text.c_str();
  });
}
