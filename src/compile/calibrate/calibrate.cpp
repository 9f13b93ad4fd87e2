#include "compile/calibrate/calibrate.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/log.h"
#include "compile/calibrate/bounds.h"
#include "compile/calibrate/equalise.h"
#include "compile/calibrate/observer.h"
#include "compile/calibrate/rounding.h"
#include "compile/runner.h"

namespace planish {
namespace {

constexpr int kFewSamples = 8;
constexpr size_t kJudged = 32;   // samples that `best` compares methods on
constexpr int kMomentRows = 24;  // of each sample

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
  bool ranged = false;          // its range is wanted
  bool means = false;           // the means of its channels are, too
  std::vector<size_t> moments;  // of which products
  int levels = 127;
  ValueObserver figures;
};

// The axis along which products read the value's channels: 1 of convolutions, the last of matrices; -1: none.
int channel_axis(const Graph& graph, ValueId value, const Placement& placement) {
  const int rank = graph.value(value).type.shape.rank();
  for (NodeId id : placement.products)
    if (graph.node(id).inputs[0] == value) return graph.node(id).op == "conv" ? 1 : rank - 1;
  return rank > 2 ? 1 : rank - 1;
}

class Calibrator {
 public:
  Calibrator(const Graph& graph, Device& device, const CalibrateOptions& options, CalibrationReport& report)
      : graph_(graph), device_(&device, [](Device*) {}), options_(options), report_(report) {
    best_ = options.method == CalibrationMethod::best;
  }

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
    if (best_) return best();
    CalibrationTable table = calibration({options_.method, options_.correct_bias, options_.equalise});
    if (options_.round_weights) round_weights(table);
    return table;
  }

 private:
  void say(int done) const { say_phase("calibrating", done, std::max(options_.expected, done)); }

  // What is observed is read as steps complete it; what no step has as its result becomes an output.
  Runner observing_runner() {
    const Placement placement = place(graph_, {});
    std::map<std::string, size_t> index;
    const auto want = [&](ValueId id) -> Observed& {
      const std::string& name = graph_.value(id).name;
      const auto [at, fresh] = index.try_emplace(name, observed_.size());
      if (fresh) observed_.push_back({name, false, false, {}, 127, ValueObserver(channel_axis(graph_, id, placement))});
      return observed_[at->second];
    };
    for (const QuantizedValue& value : placement.values) {
      Observed& observed = want(value.value);
      observed.ranged = true;
      observed.levels = bounds_of(graph_, value.value).low >= 0 ? 255 : 127;
    }
    for (NodeId id : placement.products) {
      const ValueId input = graph_.node(id).inputs[0];
      if (options_.correct_bias || best_) want(input).means = true;
      if (!options_.round_weights && !best_) continue;
      want(input).moments.push_back(products_.size());
      products_.push_back(id);
      moments_.emplace_back(graph_, id);
    }
    // What no step leaves becomes an output; then other nodes may be fused than before.
    Graph watched = graph_.clone();
    for (;;) {
      BuildReport report;
      Plan plan = build(watched.clone(), *device_, plain_build(), &report);
      bool grown = false;
      if (!find_steps(plan, report, index))
        for (const auto& [name, at] : index)
          if (const ValueId id = *watched.find_value(name);
              watched.value(id).producer.valid() && !watched.is_output(id) && !is_seen(at)) {
            watched.add_output(id);
            grown = true;
          }
      if (!grown) return {std::move(plan), device_};
    }
  }

  bool is_seen(size_t observed) const {
    return std::any_of(steps_.begin(), steps_.end(),
                       [&](const auto& step) { return step.second.observed == observed; });
  }

  // Which step completes what; false: something is missing that is no input.
  bool find_steps(const Plan& plan, const BuildReport& report, const std::map<std::string, size_t>& index) {
    steps_.clear();
    read_after_.clear();
    std::map<std::string, std::pair<uint32_t, size_t>> last;
    for (const StepResult& result : report.results) last[result.value] = {result.step, result.output};
    for (const auto& [name, at] : index) {
      const ValueId id = *graph_.find_value(name);
      if (!graph_.value(id).producer.valid()) continue;
      const auto found = last.find(name);
      const auto step = std::find_if(plan.profiles[0].steps.begin(), plan.profiles[0].steps.end(),
                                     [&](const Step& s) { return found != last.end() && s.id == found->second.first; });
      if (step != plan.profiles[0].steps.end() &&
          Shape(step->outputs[found->second.second].dims) == graph_.value(id).type.shape)
        steps_.emplace(step->id, Seen{found->second.second, at});
      else
        read_after_.push_back(at);
    }
    return read_after_.empty();
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
      if (tensor.element_count() == 0)
        fail(Code::invalid_argument, "input '{}' {} has no elements, which have no range", name, tensor.type().str());
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
    runner.context()
        .set_observer([&](const Step& step, std::span<const TensorView> outputs) {
          const auto [begin, end] = steps_.equal_range(step.id);
          for (auto at = begin; at != end; ++at) add(observed_[at->second.observed], outputs[at->second.output]);
        })
        .raise();
    runner.run();
    for (size_t at : read_after_) add(observed_[at], runner.output(observed_[at].name));
    for (Observed& observed : observed_)
      if (const auto input = sample.find(observed.name); input != sample.end()) add(observed, input->second.view());
    if (!best_ || kept_.size() >= kJudged) return;
    kept_.push_back(sample);
    expected_.emplace_back();
    for (ValueId id : graph_.outputs())
      expected_.back()[graph_.value(id).name] = Tensor::copy_of(runner.output(graph_.value(id).name));
  }

  void add(Observed& observed, const TensorView& view) {
    if (!observed.figures.add(view, device_->pool()))
      fail(Code::invalid_argument, "tensor '{}' has elements that are not finite", observed.name);
    for (size_t product : observed.moments) moments_[product].add(view, kMomentRows, device_->pool());
  }

  void warn() {
    for (const Observed& observed : observed_) {
      const Histogram& h = observed.figures.histogram();
      if (!observed.ranged || h.least != h.most) continue;
      (h.width == 0 ? report_.dead : report_.constant).push_back(observed.name);
      log(Severity::warning, "tensor '{}' is {} in every sample{}", observed.name, h.least,
          h.width == 0 ? ": what reads it stays fp32" : "");
    }
  }

  struct Recipe {
    CalibrationMethod method = CalibrationMethod::entropy;
    bool means = false, channels = false;
  };

  CalibrationTable calibration(const Recipe& recipe) {
    CalibrationTable found;
    found.algorithm = algorithm_of(recipe.method);
    std::vector<double> largest(observed_.size());
    device_->pool().parallel_for(static_cast<int64_t>(observed_.size()), 1, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
        largest[i] =
            threshold_of(observed_[i].figures.histogram(), recipe.method, options_.percent, observed_[i].levels);
    });
    for (size_t i = 0; i < observed_.size(); ++i) {
      const Observed& observed = observed_[i];
      const auto& channels = observed.figures.channels();
      const double rows = observed.figures.rows();
      if (observed.ranged) found.scales[observed.name] = static_cast<float>(largest[i] / 127);
      if (rows == 0) continue;
      if (observed.means && recipe.means)
        for (const ChannelFigures& channel : channels)
          found.means[observed.name].push_back(static_cast<float>(channel.sum / rows));
      if (observed.ranged && recipe.means)
        found.ranges[observed.name] = {observed.figures.histogram().least, observed.figures.histogram().most};
      if (!observed.ranged || !recipe.channels) continue;
      ChannelTable& own = found.channels[observed.name];
      for (const ChannelFigures& channel : channels) {
        own.largest.push_back(std::max(std::fabs(channel.least), std::fabs(channel.most)));
        own.power.push_back(static_cast<float>(std::min(channel.squares / rows, 1e30)));
      }
    }
    report_.method = recipe.method;
    report_.equalised = recipe.channels;
    return found;
  }

  // Notes the numbers of weights for what the table makes of the network.
  void round_weights(CalibrationTable& table) {
    Graph numbers = graph_.clone();
    CalibrationTable scaled = table;
    const auto factors = equalise(numbers, scaled);
    for (size_t i = 0; i < products_.size(); ++i) {
      if (moments_[i].empty()) continue;
      say_phase("rounding weights", static_cast<int>(i), static_cast<int>(products_.size()));
      const std::string& layer = numbers.node(products_[i]).name;
      const ProductWeights w = weights_of(numbers, products_[i]);
      const auto by = factors.find(products_[i]);
      const std::vector<float>& scales = table.weight_scales[layer] = weight_scales(w, layer);
      table.weights[layer] = rounded_weights(w, scales, moments_[i],
                                             by == factors.end() ? std::vector<double>{} : by->second, device_->pool());
    }
    report_.rounded = true;
  }

  void say_phase(const std::string& phase, int done, int total) const {
    if (options_.progress && !options_.progress({phase, done, total}))
      fail(Code::cancelled, "the calibration was cancelled");
  }

  double judge(const CalibrationTable& calibration) {
    Runner runner(build(quantized(graph_, calibration, options_.quantize), *device_, plain_build()), device_);
    OutputNoise ratio;
    for (size_t i = 0; i < kept_.size(); ++i) {
      for (const auto& [name, tensor] : kept_[i]) runner.set_input(name, tensor);
      runner.bind_outputs();
      runner.run();
      for (const auto& [name, tensor] : runner.outputs()) ratio.add(name, tensor, expected_[i].at(name));
    }
    return ratio.decibels();
  }

  // The table becomes the best one when it is.
  bool better(const std::string& name, CalibrationTable table, std::optional<CalibrationTable>& best, double& most) {
    say_phase("judging " + name, 0, 0);
    const double decibels = report_.decibels[name] = judge(table);
    if (best && !(decibels > most)) return false;
    best = std::move(table);
    most = decibels;
    return true;
  }

  CalibrationTable best() {
    std::optional<CalibrationTable> taken;
    CalibrationMethod method = CalibrationMethod::entropy;
    double most = 0;
    std::map<std::string, std::vector<float>> scales;  // of weights: they do not depend on the method
    for (CalibrationMethod one : {CalibrationMethod::entropy, CalibrationMethod::min_max, CalibrationMethod::percentile,
                                  CalibrationMethod::mse}) {
      CalibrationTable table = calibration({one, true, false});
      table.weight_scales = std::move(scales);
      note_weight_scales(graph_, table);
      scales = table.weight_scales;
      if (better(method_name(one), std::move(table), taken, most)) method = one;
    }
    const std::string name = method_name(method);
    const bool equalised = better(name + ", equalised", calibration({method, true, true}), taken, most);
    CalibrationTable rounded = *taken;
    round_weights(rounded);
    report_.rounded = better(name + (equalised ? ", equalised" : "") + ", rounded", std::move(rounded), taken, most);
    report_.method = method;
    report_.equalised = equalised;
    return std::move(*taken);
  }

  const Graph& graph_;
  std::shared_ptr<Device> device_;
  const CalibrateOptions& options_;
  CalibrationReport& report_;
  struct Seen {
    size_t output, observed;
  };
  std::vector<Observed> observed_;
  std::multimap<uint32_t, Seen> steps_;  // by step
  std::vector<size_t> read_after_;       // of observed_: outputs that are read when all has run
  bool best_ = false;
  std::vector<NodeId> products_;
  std::vector<InputMoments> moments_;  // of products_
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
