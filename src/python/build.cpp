#include <planish/planish.hpp>
#include <set>
#include <sstream>

#include "python/arrays.h"
#include "python/module.h"
#include "python/paths.h"

namespace planish::python {
namespace {

using namespace nb::literals;

// (1, 3, 224, 224), or three of them: least, typical, largest.
InputRange range_of(const std::string& input, nb::handle shape) {
  std::vector<Extents> three;
  if (nb::try_cast(shape, three)) {
    if (three.size() != 3)
      throw Error(Code::invalid_argument,
                  "the shape of '" + input + "' takes one tuple, or three: least, typical, largest");
    return {input, three[0], three[1], three[2]};
  }
  Extents fixed;
  if (!nb::try_cast(shape, fixed))
    throw Error(Code::invalid_argument, "the shape of '" + input + "' takes integers, " +
                                            nb::cast<std::string>(nb::repr(shape)) + " was given");
  return InputRange::fixed(input, fixed);
}

InputRanges ranges_of(nb::handle shapes) {
  InputRanges ranges;
  for (const auto [input, shape] : nb::cast<nb::dict>(shapes))
    ranges.push_back(range_of(nb::cast<std::string>(input), shape));
  return ranges;
}

// None, a dict, or a list of dicts: a profile each.
std::vector<InputRanges> profiles_of(nb::handle shapes) {
  std::vector<InputRanges> profiles;
  if (nb::isinstance<nb::dict>(shapes)) return {ranges_of(shapes)};
  if (!shapes.is_none())
    for (nb::handle one : nb::cast<nb::sequence>(shapes)) profiles.push_back(ranges_of(one));
  return profiles;
}

// Words with commas between them, each of `accepted`.
std::set<std::string> words_of(const std::string& text, const std::set<std::string>& accepted, const char* what) {
  std::set<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, ',');) {
    if (accepted.count(word) == 0) {
      std::string list;
      for (const std::string& one : accepted) list += (list.empty() ? "" : ", ") + one;
      throw Error(Code::invalid_argument, std::string(what) + " '" + word + "'; accepted are " + list);
    }
    words.insert(word);
  }
  return words;
}

Tuning tuning_of(const std::string& text, double& seconds) {
  if (text == "fast") return Tuning::fast;
  if (text == "full") return Tuning::full;
  if (text == "off") return Tuning::off;
  char* end = nullptr;
  seconds = std::strtod(text.c_str(), &end);
  if (!(seconds > 0) || *end != 0)
    throw Error(Code::invalid_argument, "tune '" + text + "'; accepted are fast, full, off and a number of seconds");
  return Tuning::fast;
}

// Ctrl-C ends the work; otherwise the caller's function decides, if it gave one.
std::function<bool(const BuildProgress&)> progress_of(nb::object call) {
  return [call](const BuildProgress& progress) {
    const nb::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
    if (call.is_none()) return true;
    const nb::object answer = call(progress.phase, progress.done, progress.total);
    return answer.is_none() || nb::cast<bool>(answer);
  };
}

Network network_of(nb::object model, nb::handle shapes, nb::handle weights, bool random_weights) {
  ImportOptions options;
  options.weights = path_of(weights);
  options.random_weights = random_weights;
  const InputRanges ranges = detail::union_of(profiles_of(shapes));
  if (nb::isinstance<nb::bytes>(model)) {
    const auto bytes = nb::borrow<nb::bytes>(model);
    return Network::import_bytes({reinterpret_cast<const std::byte*>(bytes.c_str()), bytes.size()}, "model.onnx",
                                 ranges, options);
  }
  const std::string path = path_of(model);
  const nb::gil_scoped_release release;
  return Network::import_file(path, ranges, options);
}

Plan build_network(nb::object model, nb::object shapes, const std::string& precision, const std::string& tune,
                   int threads, const Device* device, nb::handle timing_cache, const std::string& calibration,
                   const std::vector<std::string>& fp32_layers, nb::handle weights, const std::string& isa,
                   nb::object progress) {
  BuildOptions options;
  const auto permitted = words_of(precision, {"fp32", "tf32", "bf16", "fp16", "int8"}, "precision");
  options.tf32 = permitted.count("tf32") > 0;
  options.bf16 = permitted.count("bf16") > 0;
  options.fp16 = permitted.count("fp16") > 0;
  if ((permitted.count("int8") > 0) != !calibration.empty())
    throw Error(Code::invalid_argument, calibration.empty()
                                            ? "precision int8 needs the table of calibrate(), as calibration"
                                            : "calibration is for precision 'fp32,int8'");
  options.tuning = tuning_of(tune, options.tune_seconds);
  options.threads = threads;
  options.device = device;
  options.timing_cache = path_of(timing_cache);
  options.calibration = calibration;
  options.fp32_layers = fp32_layers;
  options.isa = isa;
  options.progress = progress_of(progress);
  options.profiles = profiles_of(shapes);
  if (nb::isinstance<Network>(model)) {
    const auto& network = nb::cast<const Network&>(model);
    const nb::gil_scoped_release release;
    return build(network, options);
  }
  const Network network = network_of(model, shapes, weights, false);
  const nb::gil_scoped_release release;
  return build(network, options);
}

// Samples of an iterable: a dict of arrays by input each, or an array where the network has one input.
class SampleIterator {
 public:
  SampleIterator(const Network& network, nb::handle samples) : iterator_(nb::iter(samples)) {
    for (const Value& input : network.inputs()) types_[network.name(input)] = network.type(input).dtype;
  }

  bool next(Samples& sample) {
    const nb::gil_scoped_acquire acquire;
    arrays_.clear();
    const auto item = nb::steal<nb::object>(PyIter_Next(iterator_.ptr()));
    if (PyErr_Occurred() != nullptr) throw nb::python_error();
    if (!item.is_valid()) return false;
    const bool single = !nb::isinstance<nb::dict>(item);
    if (single && types_.size() != 1)
      throw Error(Code::invalid_argument,
                  "a sample is a dict of arrays: the network has " + std::to_string(types_.size()) + " inputs");
    for (const auto& [input, type] : types_) {
      const nb::object given = single ? item : nb::borrow<nb::object>(item).attr("get")(input);
      if (given.is_none()) throw Error(Code::invalid_argument, "a sample lacks input '" + input + "'");
      arrays_.push_back(readable(given, "input '" + input + "'", type));
      sample[input] = {arrays_.back().extents, arrays_.back().data};
    }
    return true;
  }

 private:
  nb::iterator iterator_;
  std::map<std::string, DataType> types_;
  std::vector<Array> arrays_;
};

std::string calibrate_network(nb::object model, nb::object samples, const std::string& method, double percent,
                              bool correct_bias, nb::object shapes, nb::handle weights, int threads,
                              nb::object progress) {
  std::optional<Network> imported;
  if (!nb::isinstance<Network>(model)) imported.emplace(network_of(model, shapes, weights, false));
  const Network& network = imported ? *imported : nb::cast<const Network&>(model);
  CalibrationOptions options;
  options.method = method;
  options.percent = percent;
  options.correct_bias = correct_bias;
  options.threads = threads;
  options.count = static_cast<int>(nb::len_hint(samples));
  options.progress = progress_of(progress);
  const auto profiles = profiles_of(shapes);
  if (!profiles.empty()) options.profile = profiles.front();
  SampleIterator iterator(network, samples);
  const std::function<bool(Samples&)> next = [&](Samples& sample) { return iterator.next(sample); };
  const nb::gil_scoped_release release;
  return calibrate(network, next, options);
}

std::vector<std::string> described(const Network& network, const std::vector<Value>& values) {
  std::vector<std::string> list;
  for (const Value& value : values) list.push_back(network.name(value) + " " + network.type(value).str());
  return list;
}

}  // namespace

void add_build(nb::module_& module) {
  nb::class_<Network>(module, "Network", "A model that was read; str(network) is all of it.")
      .def(nb::new_(&network_of), "model"_a, "shapes"_a = nb::none(), "weights"_a = "", "random_weights"_a = false,
           "model: the path of an .onnx or .prototxt file, or the bytes of an ONNX model.")
      .def_prop_ro("inputs", [](const Network& network) { return described(network, network.inputs()); })
      .def_prop_ro("outputs", [](const Network& network) { return described(network, network.outputs()); })
      .def("__str__", &Network::text);

  module.def(
      "build", &build_network, "model"_a, "shapes"_a = nb::none(), nb::kw_only(), "precision"_a = "fp32,tf32",
      "tune"_a = "fast", "threads"_a = 0, "device"_a = nb::none(), "timing_cache"_a = "", "calibration"_a = "",
      "fp32_layers"_a = std::vector<std::string>(), "weights"_a = "", "isa"_a = "", "progress"_a = nb::none(),
      "A model (path, bytes of ONNX, or Network) becomes a Plan.\n\n"
      "shapes: of dynamic inputs, {'x': (1, 3, 224, 224)} or {'x': (least, typical, largest)}; a list of such dicts is "
      "a "
      "profile each.\nprecision: what is permitted of fp32, tf32, bf16, fp16, int8 (with a table as calibration).\n"
      "tune: fast, full, off, or seconds. progress(phase, done, total) may return False to cancel.");
  module.def("calibrate", &calibrate_network, "model"_a, "samples"_a, nb::kw_only(), "method"_a = "entropy",
             "percent"_a = 99.99, "correct_bias"_a = false, "shapes"_a = nb::none(), "weights"_a = "", "threads"_a = 0,
             "progress"_a = nb::none(),
             "Runs samples (any iterable of dicts of arrays by input) and gives the table for build(calibration=).\n\n"
             "method: entropy, minmax, percentile, mse, best.");
}

}  // namespace planish::python
