#include "compile/calibrate/calibrate.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/log.h"
#include "compile/calibrate/bounds.h"
#include "compile/runner.h"

namespace planish {
namespace {

constexpr int kFewSamples = 8;
constexpr size_t kJudged = 32;  // samples that `best` compares methods on

const char* algorithm_of(CalibrationMethod method) {
  switch (method) {
    case CalibrationMethod::entropy:
      return "EntropyCalibration2";
    case CalibrationMethod::min_max:
      return "MinMaxCalibration";
    default:
      return "LegacyCalibration";
  }
}

BuildOptions plain_build() {
  BuildOptions options;
  options.tuning = Tuning::off;
  return options;
}

struct Observed {
  std::string name;
  bool ranged = false;  // its histogram is wanted
  int mean_axis = -1;   // its means along this axis are wanted
  int levels = 127;
  Histogram histogram;
  std::vector<double> sums;
  double rows = 0;
};

class Calibrator {
 public:
  Calibrator(const Graph& graph, Device& device, const CalibrateOptions& options, CalibrationReport& report)
      : graph_(graph), device_(&device, [](Device*) {}), options_(options), report_(report) {}

  CalibrationTable run(const SampleSource& source) {
    Runner runner = observing_runner();
    while (auto sample = source()) {
      say(report_.samples);
      with_context([&] { return fmt::format("sample {}", report_.samples + 1); }, [&] { observe(runner, *sample); });
      ++report_.samples;
    }
    if (report_.samples == 0) fail(Code::invalid_argument, "there is no sample to calibrate with");
    if (report_.samples < kFewSamples)
      log(Severity::warning, "calibrated with {} samples; some hundred of the kind that will come are usual",
          report_.samples);
    warn();
    return options_.method == CalibrationMethod::best ? best() : calibration(options_.method);
  }

 private:
  void say(int done) const {
    const int total = std::max(options_.expected, done);
    if (options_.progress && !options_.progress({"calibrating", done, total}))
      fail(Code::cancelled, "the calibration was cancelled");
  }

  // The network with what is observed as further outputs.
  Runner observing_runner() {
    const Placement placement = place(graph_, {});
    std::map<ValueId, size_t> index;
    const auto want = [&](ValueId id) -> Observed& {
      const auto [at, fresh] = index.try_emplace(id, observed_.size());
      if (fresh) observed_.push_back({graph_.value(id).name});
      return observed_[at->second];
    };
    for (const QuantizedValue& value : placement.values) {
      Observed& observed = want(value.value);
      observed.ranged = true;
      observed.levels = bounds_of(graph_, value.value).low >= 0 ? 255 : 127;
    }
    for (NodeId id : placement.products) {
      const Node& node = graph_.node(id);
      if (!options_.correct_bias) break;
      want(node.inputs[0]).mean_axis = node.op == "conv" ? 1 : graph_.value(node.inputs[0]).type.shape.rank() - 1;
    }
    Graph watched = graph_.clone();
    for (const auto& [id, at] : index)
      if (watched.value(id).producer.valid() && !watched.is_output(id)) watched.add_output(id);
    return Runner(build(std::move(watched), *device_, plain_build()), device_);
  }

  void check(const Sample& sample) const {
    for (ValueId id : graph_.inputs()) {
      const Value& input = graph_.value(id);
      if (sample.count(input.name) == 0)
        fail(Code::invalid_argument, "it lacks input '{}' {}", input.name, input.type.str());
    }
    for (const auto& [name, tensor] : sample) {
      const auto at = graph_.find_value(name);
      const auto inputs = graph_.inputs();
      if (!at || std::find(inputs.begin(), inputs.end(), *at) == inputs.end())
        fail(Code::invalid_argument, "the network has no input '{}'", name);
      if (graph_.value(*at).type.dtype != tensor.dtype())
        fail(Code::invalid_argument, "input '{}' is {}, the sample has {}", name, graph_.value(*at).type.str(),
             tensor.type().str());
      if (tensor.dtype() != DataType::f32) continue;
      const auto values = tensor.as<float>();
      if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }))
        fail(Code::invalid_argument, "input '{}' has elements that are not finite", name);
    }
  }

  void observe(Runner& runner, const Sample& sample) {
    check(sample);
    for (const auto& [name, tensor] : sample) runner.set_input(name, tensor);
    runner.bind_outputs();
    runner.run();
    for (Observed& observed : observed_) {
      const auto input = sample.find(observed.name);
      add(observed, input == sample.end() ? runner.output(observed.name) : input->second.view());
    }
    if (options_.method != CalibrationMethod::best || kept_.size() >= kJudged) return;
    kept_.push_back(sample);
    expected_.emplace_back();
    for (ValueId id : graph_.outputs())
      expected_.back()[graph_.value(id).name] = Tensor::copy_of(runner.output(graph_.value(id).name));
  }

  void add(Observed& observed, const TensorView& view) {
    const std::span<const float> values(view.as<const float>(), static_cast<size_t>(view.element_count()));
    if (observed.ranged && !observed.histogram.add(values, device_->pool()))
      fail(Code::invalid_argument, "tensor '{}' has elements that are not finite", observed.name);
    if (observed.mean_axis < 0) return;
    int64_t inner = 1;
    const auto axis = static_cast<size_t>(observed.mean_axis);
    for (size_t k = axis + 1; k < view.extents().size(); ++k) inner *= view.extents()[k];
    add_channel_sums(values, view.extents()[axis], inner, observed.sums);
    observed.rows += static_cast<double>(values.size()) / static_cast<double>(view.extents()[axis]);
  }

  void warn() {
    for (const Observed& observed : observed_) {
      const Histogram& h = observed.histogram;
      if (!observed.ranged || h.least != h.most) continue;
      (h.width == 0 ? report_.dead : report_.constant).push_back(observed.name);
      log(Severity::warning, "tensor '{}' is {} in every sample{}", observed.name, h.least,
          h.width == 0 ? ": what reads it stays fp32" : "");
    }
  }

  CalibrationTable calibration(CalibrationMethod method) {
    CalibrationTable found;
    found.algorithm = algorithm_of(method);
    std::vector<double> largest(observed_.size());
    device_->pool().parallel_for(static_cast<int64_t>(observed_.size()), 1, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
        largest[i] = threshold_of(observed_[i].histogram, method, options_.percent, observed_[i].levels);
    });
    for (size_t i = 0; i < observed_.size(); ++i) {
      const Observed& observed = observed_[i];
      if (observed.ranged) found.scales[observed.name] = static_cast<float>(largest[i] / 127);
      if (observed.mean_axis < 0 || observed.rows == 0) continue;
      auto& means = found.means[observed.name];
      for (double sum : observed.sums) means.push_back(static_cast<float>(sum / observed.rows));
    }
    report_.method = method;
    return found;
  }

  double judge(const CalibrationTable& calibration) {
    Runner runner(build(quantized(graph_, calibration, options_.quantize), *device_, plain_build()), device_);
    SignalToNoise ratio;
    for (size_t i = 0; i < kept_.size(); ++i) {
      for (const auto& [name, tensor] : kept_[i]) runner.set_input(name, tensor);
      runner.bind_outputs();
      runner.run();
      for (const auto& [name, tensor] : runner.outputs()) ratio.add(tensor, expected_[i].at(name));
    }
    return ratio.decibels();
  }

  CalibrationTable best() {
    std::optional<CalibrationTable> taken;
    CalibrationMethod method = CalibrationMethod::entropy;
    double most = 0;
    for (CalibrationMethod one : {CalibrationMethod::entropy, CalibrationMethod::min_max, CalibrationMethod::percentile,
                                  CalibrationMethod::mse}) {
      if (options_.progress && !options_.progress({fmt::format("judging {}", method_name(one)), 0, 0}))
        fail(Code::cancelled, "the calibration was cancelled");
      CalibrationTable found = calibration(one);
      const double decibels = report_.decibels[method_name(one)] = judge(found);
      if (taken && !(decibels > most)) continue;
      taken = std::move(found);
      most = decibels;
      method = one;
    }
    report_.method = method;
    return std::move(*taken);
  }

  const Graph& graph_;
  std::shared_ptr<Device> device_;
  const CalibrateOptions& options_;
  CalibrationReport& report_;
  std::vector<Observed> observed_;
  std::vector<Sample> kept_;
  std::vector<std::map<std::string, Tensor>> expected_;
};

}  // namespace

CalibrationTable calibrate(const Graph& graph, Device& device, const CalibrateOptions& options,
                           const SampleSource& source, CalibrationReport* report) {
  CalibrationReport own;
  return Calibrator(graph, device, options, report != nullptr ? *report : own).run(source);
}

}  // namespace planish
