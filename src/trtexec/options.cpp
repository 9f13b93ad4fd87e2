#include "trtexec/options.h"

#include <fmt/format.h>

#include <set>

namespace planish::trtexec {
namespace {

std::vector<Field> all_fields() {
  std::vector<Field> all;
  for (auto part : {model_fields, build_fields, tactic_fields, inference_fields, reporting_fields, system_fields,
                    meaningless_fields, refused_fields})
    for (Field& field : part()) all.push_back(std::move(field));
  all.push_back({Section::help, "--help", "", "Print this message (-h, too)",
                 [](Options& o, const std::string&) { o.help = true; }});
  return all;
}

const Field* find(const std::string& flag) {
  const std::string name = flag == "-h" ? "--help" : flag;
  for (const Field& field : fields())
    if (field.flag == name) return &field;
  return nullptr;
}

void take_argument(Options& options, const Field& field, const std::string& argument, const std::string& value) {
  const bool has_value = argument.find('=') != std::string::npos;
  if (field.value.empty() && has_value && value != "1" && value != "true")
    throw Usage(field.flag + " takes no value; '" + value + "' is given");
  if (!field.value.empty() && value.empty()) throw Usage(field.flag + " needs a value: " + field.flag + field.value);
  if (field.meaning == Meaning::refused) throw Usage(field.flag + ": " + field.why);
  if (field.meaning == Meaning::none) options.warnings.push_back(field.flag + " has no meaning here: " + field.why);
  try {
    field.take(options, value);
  } catch (const std::invalid_argument& error) {
    throw Usage(argument + ": " + error.what());
  }
}

// What one of kMIN, kOPT and kMAX leaves open, another gives.
void complete(ProfileShapes& shapes, bool calibration, std::vector<std::string>& warnings) {
  static constexpr const char* kNames[] = {"minShapes", "optShapes", "maxShapes"};
  for (auto& [name, range] : shapes) {
    auto& given = range.given;
    if (calibration && !(given[1] && given[0].has_value() == given[2].has_value()))
      throw Usage("'" + name + "' is given not all of --minShapesCalib, --optShapesCalib, --maxShapesCalib");
    const size_t source_of[] = {given[1] ? 1U : 2U, given[2] ? 2U : 0U, given[1] ? 1U : 0U};
    for (size_t i : {0U, 2U, 1U}) {
      if (given[i]) continue;
      const size_t source = given[source_of[i]] ? source_of[i] : given[1] ? 1U : given[0] ? 0U : 2U;
      given[i] = given[source];
      warnings.push_back(fmt::format("{} is taken for {} of tensor {}", kNames[source], kNames[i], name));
    }
    for (size_t i : {1U, 2U}) {
      if (given[i]->size() != given[0]->size())
        throw Usage(fmt::format("'{}' is given shapes of {} and {} axes", name, given[0]->size(), given[i]->size()));
      for (size_t axis = 0; axis < given[i]->size(); ++axis)
        if ((*given[i])[axis] < (*given[i - 1])[axis])
          throw Usage(fmt::format("'{}' is given {} {}, which is below {} {}", name, kNames[i], text_of(*given[i]),
                                  kNames[i - 1], text_of(*given[i - 1])));
    }
  }
}

// Shapes of the build are those of inference where it has none, and the other way round.
void share_shapes(Options& options) {
  if (options.use_profile >= static_cast<int>(options.profiles.size())) return;
  ProfileShapes& build = options.profiles[static_cast<size_t>(options.use_profile)];
  for (const auto& [name, range] : build) options.shapes.emplace(name, range.at(1));
  for (const auto& [name, extents] : options.shapes) build.emplace(name, Range{{extents, extents, extents}});
}

void check_model(const Options& options) {
  const bool caffe = !options.deploy.empty() || !options.caffe_model.empty();
  const bool onnx = !options.onnx.empty(), load = !options.load_engine.empty();
  if (!caffe && !onnx && !load) throw Usage("Model missing: --onnx, --deploy or --loadEngine names one");
  if (caffe && onnx) throw Usage("--onnx and --deploy or --model are both given");
  if (caffe && options.deploy.empty())
    throw Usage("--model has the weights of a Caffe network; --deploy names its text");
  if (caffe && options.outputs.empty()) throw Usage("Caffe models require at least one output: --output=<name>");
  if (onnx && !options.outputs.empty()) throw Usage("--output should not be used with ONNX models");
  if (load && !options.save_engine.empty()) throw Usage("--loadEngine and --saveEngine are both given");
  if (onnx && (options.batch > 0 || options.max_batch > 0))
    throw Usage("--batch and --maxBatch are of Caffe networks; ONNX models take --optShapes and --shapes");
}

void check(Options& options) {
  check_model(options);
  for (float percentile : options.percentiles)
    if (!(percentile >= 0 && percentile <= 100))
      throw Usage(fmt::format("--percentile: {} is not in 0 to 100", percentile));
  if (options.strongly_typed && options.best) throw Usage("--best and --stronglyTyped are both given");
  if (options.best) options.fp16 = options.bf16 = options.int8 = true;
  if (options.strongly_typed && (options.fp16 || options.bf16 || options.int8)) {
    options.warnings.emplace_back(
        "--fp16, --bf16 and --int8 are not used with --stronglyTyped: types are the network's");
    options.fp16 = options.bf16 = options.int8 = false;
  }
  if (!options.deploy.empty() && options.shapes.empty() && options.profiles[0].empty()) {
    options.batch = std::max(options.batch, 1);
    if (options.max_batch == 0) options.max_batch = options.batch;
  }
  if (options.max_batch > 0 && options.batch > options.max_batch)
    throw Usage(fmt::format("--batch={} is above --maxBatch={}", options.batch, options.max_batch));
  if (options.dla_core >= 0 && !options.gpu_fallback)
    throw Usage(
        "--useDLACore: there are 0 DLA cores here; with --allowGPUFallback the layers run on the default device");
  const bool named = !options.layer_precisions.empty() || !options.layer_output_types.empty();
  if (named != (options.constraints != Constraints::none))
    options.warnings.emplace_back(
        named ? "--layerPrecisions and --layerOutputTypes have no effect without --precisionConstraints"
              : "--precisionConstraints has no effect without --layerPrecisions or --layerOutputTypes");
}

void finish(Options& options) {
  for (size_t i = 0; i < options.profiles.size(); ++i) {
    if (options.profiles.size() > 1 && options.profiles[i].empty())
      throw Usage(fmt::format("--profile={} has no shapes; indices start at 0 and leave none out", i));
    complete(options.profiles[i], false, options.warnings);
  }
  complete(options.calibration_shapes, true, options.warnings);
  if (options.calibration_profile >= static_cast<int>(options.profiles.size()))
    throw Usage("--calibProfile: there is no such profile");
  check(options);
  share_shapes(options);
}

}  // namespace

const std::vector<Field>& fields() {
  static const std::vector<Field> all = all_fields();
  return all;
}

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  std::vector<std::string> unknown;
  std::set<std::string> seen;
  for (const std::string& argument : arguments) {
    const size_t equal = std::min(argument.find('='), argument.size());
    const std::string flag = argument.substr(0, equal);
    const std::string value = equal < argument.size() ? argument.substr(equal + 1) : "";
    const Field* field = find(flag);
    if (field == nullptr) {
      unknown.push_back("Unknown option: " + flag + " " + value);
      continue;
    }
    if (!seen.insert(field->flag).second && !field->repeats) throw Usage(field->flag + " is given more than once");
    take_argument(options, *field, argument, value);
  }
  if (options.help) return options;
  if (!unknown.empty()) throw Usage(unknown);
  finish(options);
  return options;
}

}  // namespace planish::trtexec
