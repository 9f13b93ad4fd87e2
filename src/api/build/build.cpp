// Importing and building.

#include "compile/build.h"

#include "api/build/network.h"
#include "api/build/profiles.h"
#include "compile/calibrate/quantize.h"
#include "compile/weights.h"
#include "importers/import.h"
#include "importers/onnx/importer.h"
#include "importers/plugins/table/plugin_table.h"

using namespace planish;
using planish::api::each_sized;
using planish::api::guarded;
using planish::api::InputRange;
using planish::api::ranges_of;
using planish::api::required;

namespace {

ModelSource source_of(const char* name, const void* bytes, size_t size) {
  return {api::text_or_empty(name), {static_cast<const std::byte*>(bytes), size}, bytes == nullptr};
}

// The network is the graph during the call: the values that the callback adds are the graph's.
caffe::CustomLayers custom_layers(const planish_import_options& options) {
  if (options.layer == nullptr) return {};
  return [call = options.layer, user = options.layer_user](
             Graph& graph, const caffe::CustomLayer& layer) -> std::optional<std::vector<ValueId>> {
    std::vector<planish_value> inputs, outputs(std::max<size_t>(layer.outputs, 1), -1);
    for (ValueId id : layer.inputs) inputs.push_back(id.index);
    std::vector<planish_import_blob> blobs;
    for (const Tensor& blob : layer.blobs)
      blobs.push_back({blob.extents().data(), blob.rank(), blob.as<float>().data()});
    const planish_import_layer c{sizeof c,      layer.name.c_str(), layer.type.c_str(), inputs.data(),
                                 inputs.size(), blobs.data(),       blobs.size(),       layer.outputs};
    planish_network network;
    network.graph = std::move(graph);
    const int32_t made = call(user, &network, &c, outputs.data());
    graph = std::move(network.graph);
    if (made < 0) fail(Code::invalid_model, "the caller refuses the layer");
    if (made == 0) return std::nullopt;
    outputs.resize(layer.outputs);
    std::vector<ValueId> results;
    for (planish_value output : outputs) {
      if (!graph.alive(ValueId{output})) fail(Code::invalid_argument, "result {} is no value of the network", output);
      results.push_back(ValueId{output});
    }
    return results;
  };
}

ModelFormat format_of(planish_format format) {
  if (format < PLANISH_FORMAT_BY_NAME || format > PLANISH_FORMAT_CAFFE)
    fail(Code::invalid_argument, "format {}, 0 to 2 are known", format);
  return static_cast<ModelFormat>(format);
}

ModelRequest request_of(const planish_import_options& given) {
  ModelRequest request;
  request.format = format_of(given.format);
  request.batch = api::text_or_empty(given.batch);
  request.half_weights = given.half_weights != 0;
  if (given.into != nullptr && given.keep_values == 0)
    fail(Code::invalid_argument, "an import into a network that chooses outputs; keep_values is needed");
  if (given.into != nullptr) request.into = &given.into->graph;
  request.model = source_of(given.path, given.bytes, given.size);
  request.weights = source_of(given.weights, given.weights_bytes, given.weights_size);
  request.random_weights = given.random_weights != 0;
  request.mark_outputs = given.keep_values == 0;
  request.keep_dynamic = given.keep_dynamic != 0;
  if (request.model.path.empty()) request.model.path = "the model";
  request.custom = custom_layers(given);
  if (request.weights.path.empty() && !request.weights.is_file) request.weights.path = "the weights";
  for (InputRange& range : ranges_of(given.ranges, given.range_count))
    request.input_shapes[range.input] = std::move(range.axes);
  return request;
}

planish_network* imported(Graph graph) {
  auto network = std::make_unique<planish_network>();
  network->graph = std::move(graph);
  for (const auto& [name, info] : network->graph.symbols)
    if (info.range != kAnyExtent) network->ranged.insert(name);
  return network.release();
}

void add_notes(Plan& plan, const planish_build_options& given) {
  each_sized(given.notes, given.note_count, "planish_note", [&](const planish_note& note) {
    plan.notes[&required(note.key, "the key of a note")] = api::text_or_empty(note.text);
  });
}

BuildOptions build_options(const planish_build_options& given) {
  if (given.tuning < PLANISH_TUNE_FAST || given.tuning > PLANISH_TUNE_OFF)
    fail(Code::invalid_argument, "tuning {}, 0 to 2 are known", given.tuning);
  if (given.tune_seconds < 0) fail(Code::invalid_argument, "a tuning budget of {} seconds", given.tune_seconds);
  BuildOptions options;
  options.tuning = given.tuning == PLANISH_TUNE_OFF    ? Tuning::off
                   : given.tuning == PLANISH_TUNE_FULL ? Tuning::full
                                                       : Tuning::fast;
  options.tuning_seconds = given.tune_seconds;
  options.timing_cache = api::text_or_empty(given.timing_cache);
  options.timings_by_name = given.timings_by_name != 0;
  options.isa = api::text_or_empty(given.isa);
  options.optimize = given.no_fusion == 0;
  options.precisions = {.tf32 = given.no_tf32 == 0, .bf16 = given.bf16 != 0, .fp16 = given.fp16 != 0};
  options.arch = api::text_or_empty(given.cuda);
  options.fallback = given.no_fallback == 0;
  options.progress = api::progress_of(given.progress, given.progress_user);
  return options;
}

void report_candidates(const BuildReport& report, const planish_build_options& given) {
  if (given.candidates == nullptr) return;
  const auto say = [&](const TacticChoice& choice, const std::string& name, double microseconds,
                       const std::string& reason) {
    const bool chosen = microseconds >= 0 && (name == choice.chosen || name.starts_with(choice.chosen + " ("));
    const planish_candidate c{sizeof c,       choice.node.c_str(), name.c_str(),      microseconds,
                              reason.c_str(), chosen ? 1 : 0,      choice.key.c_str()};
    given.candidates(given.candidates_user, &c);
  };
  for (const TacticChoice& choice : report.choices) {
    for (const auto& [name, microseconds] : choice.timings_us) say(choice, name, microseconds, "");
    for (const auto& [name, reason] : choice.refusals) say(choice, name, -1, reason);
  }
}

Graph quantized_graph(Graph graph, const planish_build_options& given) {
  const CalibrationTable calibration = parse_table(given.calibration);
  QuantizeOptions options;
  options.allow_missing = given.calibration_partial != 0;
  if (given.fp32_layer_count > 0) required(given.fp32_layers, "fp32_layers");
  for (size_t i = 0; i < given.fp32_layer_count; ++i)
    options.layers.fp32.emplace(&required(given.fp32_layers[i], "the name of a layer"), "it was asked for");
  return quantized(simplified(std::move(graph)), calibration, options);
}

WeightOptions weight_options(const planish_build_options& given) {
  WeightOptions options;
  options.bits = given.weight_bits;
  options.block = given.weight_block < 0 ? 0 : given.weight_block == 0 ? -1 : given.weight_block;
  options.symmetric = given.weight_zeros == 0;
  options.dynamic = given.dynamic != 0;
  if (given.float_weight_count > 0) required(given.float_weights, "float_weights");
  for (size_t i = 0; i < given.float_weight_count; ++i)
    options.exclude.emplace_back(&required(given.float_weights[i], "the name of a layer"));
  return options;
}

// `timings`: a cache's text, read and replaced; null: none, or a file.
Plan build_profile(const planish_network& network, Device& device, const planish_build_options& given,
                   const std::vector<InputRange>& ranges, std::string* timings) {
  Graph graph = network.graph.clone();
  api::apply_ranges(graph, ranges);
  api::require_ranges(network, ranges);
  if (given.calibration != nullptr) graph = quantized_graph(std::move(graph), given);
  if (const WeightOptions weights = weight_options(given); weights.wanted()) {
    graph = simplified(std::move(graph));
    quantize_weights(graph, weights);
  }
  BuildReport report;
  BuildOptions options = build_options(given);
  options.timings = timings;
  Plan plan = build(std::move(graph), device, options, &report);
  report_candidates(report, given);
  return plan;
}

Plan build_profiles(const planish_network& network, Device& device, const planish_build_options& given) {
  std::vector<std::vector<InputRange>> profiles;
  each_sized(given.profiles, given.profile_count, "planish_profile",
             [&](const planish_profile& profile) { profiles.push_back(ranges_of(profile.ranges, profile.count)); });
  if (profiles.empty()) profiles.emplace_back();
  std::string text;
  if (given.timings_size > 0)
    text.assign(&required(static_cast<const char*>(given.timings), "the timings"), given.timings_size);
  std::string* timings = given.timings != nullptr || given.write_timings != nullptr ? &text : nullptr;
  Plan plan = build_profile(network, device, given, profiles[0], timings);
  for (size_t i = 1; i < profiles.size(); ++i)
    with_context([&] { return fmt::format("profile {}", i); },
                 [&] { api::merge_profiles(plan, build_profile(network, device, given, profiles[i], timings)); });
  if (given.write_timings != nullptr && given.write_timings(given.write_timings_user, text.data(), text.size()) == 0)
    fail(Code::io, "the timings could not be written");
  return plan;
}

}  // namespace

extern "C" {

planish_status planish_network_import(const char* path, const planish_range* ranges, size_t count,
                                      planish_network** network) {
  planish_import_options options{sizeof options};
  options.path = path;
  options.ranges = ranges;
  options.range_count = count;
  return planish_network_import_with(&options, network);
}

planish_status planish_network_import_memory(const void* bytes, size_t size, const char* name,
                                             const planish_range* ranges, size_t count, planish_network** network) {
  return guarded([&] {
    required(network, "the result");
    if (bytes == nullptr) fail(Code::invalid_argument, "the model is NULL");
    planish_import_options options{sizeof options};
    options.path = name;
    options.bytes = bytes;
    options.size = size;
    options.ranges = ranges;
    options.range_count = count;
    ModelRequest request = request_of(options);
    request.model.has_folder = false;
    *network = imported(import_model(request));
  });
}

int32_t planish_network_imports(const char* op) {
  return op != nullptr && (onnx::importer_table().find(op) != nullptr || plugins::plugin_table().find(op) != nullptr)
             ? 1
             : 0;
}

planish_status planish_network_import_with(const planish_import_options* given, planish_network** network) {
  return guarded([&] {
    required(network, "the result");
    const auto options = read_sized(given, "planish_import_options");
    if (options.bytes == nullptr) required(options.path, "the path");
    ModelRequest request = request_of(options);
    request.model.has_folder = options.path != nullptr;
    *network = imported(import_model(request));
    if (options.into != nullptr) (*network)->ranged.insert(options.into->ranged.begin(), options.into->ranged.end());
  });
}

planish_status planish_read_mean(const char* path, const void* bytes, size_t size, int64_t* extents, int32_t* rank,
                                 float* values, size_t* count) {
  return guarded([&] {
    const Tensor mean = read_mean(source_of(&required(path, "the path"), bytes, size));
    required(count, "the count");
    const auto elements = mean.as<float>();
    if (values != nullptr && *count < elements.size())
      fail(Code::invalid_argument, "room for {} values, {} are there", *count, elements.size());
    *count = elements.size();
    required(rank, "the rank") = mean.rank();
    std::copy(mean.extents().begin(), mean.extents().end(), &required(extents, "the extents"));
    if (values != nullptr) std::copy(elements.begin(), elements.end(), values);
  });
}

planish_status planish_device_check_build(const planish_device* device) {
  return guarded([&] { check_can_build(*required(device, "the device").device); });
}

planish_status planish_build(const planish_network* network, const planish_build_options* given, planish_plan** plan) {
  return guarded([&] {
    required(plan, "the result");
    const planish_build_options options = read_sized(given, "planish_build_options");
    if (required(network, "the network").graph.outputs().empty())
      fail(Code::invalid_argument, "the network has no outputs");
    const auto device = api::device_or_new(options.device, options.threads);
    Plan made = build_profiles(*network, *device, options);
    add_notes(made, options);
    const auto bytes = serialize(made);
    *plan = new planish_plan{api::aligned_copy(bytes), bytes.size()};
  });
}

planish_status planish_plan_without_weights(const void* bytes, size_t size, planish_plan** plan) {
  return guarded([&] {
    required(plan, "the result");
    const auto* begin = &required(static_cast<const std::byte*>(bytes), "the plan");
    Plan stripped = deserialize({begin, size}, std::shared_ptr<const void>(begin, [](const void*) {}));
    for (Tensor& constant : stripped.constants)
      if (is_float(constant.dtype()) || constant.dtype() == DataType::i8)
        constant = Tensor::zeros(constant.dtype(), constant.extents());
    const auto whole = serialize(stripped);
    *plan = new planish_plan{api::aligned_copy(whole), whole.size()};
  });
}

}  // extern "C"
