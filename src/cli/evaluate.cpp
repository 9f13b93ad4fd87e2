#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/session.h"

namespace planish::cli {
namespace {

constexpr const char* kEvaluateExamples =
    "Examples:\n"
    "  planish evaluate model.plan --images pictures --labels labels.tsv --image data:crop=224,std=255\n"
    "  planish evaluate int8.plan --against fp32.plan --images pictures --labels labels.tsv --except 100 …\n"
    "                            beside another plan or model, on what `calibrate --samples 100` did not take\n"
    "Labels: a file name and a class (from 0) a line, apart by a tab or a blank; further columns and a header do not "
    "matter.\n"
    "Intervals hold at 95 %: Wilson's for a share, the normal one of paired differences for a difference of shares.";

struct EvaluateCommand {
  CommonOptions common;
  DataFlags data;
  std::string labels, against, output;
  int offset = 0;
};

using Labels = std::map<std::string, int64_t>;
constexpr int64_t kMostClass = 1000000000;

Labels parse_labels(const std::string& path) {
  Labels labels;
  std::istringstream text(read_file(path));
  int number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    std::istringstream fields(line);
    std::string file, label;
    if (!(fields >> file)) continue;
    fields >> label;
    int64_t index = -1;
    const auto [stop, error] = std::from_chars(label.data(), label.data() + label.size(), index);
    const bool whole = error == std::errc() && stop == label.data() + label.size() && index >= 0;
    const bool too_large = error == std::errc::result_out_of_range || index > kMostClass;
    if (!whole && !too_large && number == 1) continue;  // a header
    if (!whole && !too_large)
      fail(Code::invalid_argument, "{}:{}: '{}' is no class; FILE CLASS is accepted", path, number, label);
    if (too_large)
      fail(Code::invalid_argument, "{}:{}: class {} is too large; 0 to {} are accepted", path, number, label,
           kMostClass);
    if (const auto [at, fresh] = labels.emplace(file, index); !fresh && at->second != index)
      fail(Code::invalid_argument, "{}:{}: '{}' is of class {} here and of class {} before; one is accepted", path,
           number, file, index, at->second);
  }
  if (labels.empty()) fail(Code::invalid_argument, "{} has no line FILE CLASS", path);
  return labels;
}

// Half the width and the centre of Wilson's interval of `hits` in `n`, at 95 %.
std::pair<double, double> wilson(int hits, int n) {
  constexpr double z = 1.959964;
  const double p = static_cast<double>(hits) / n, scale = 1 + z * z / n;
  return {(p + z * z / (2 * n)) / scale, z * std::sqrt(p * (1 - p) / n + z * z / (4.0 * n * n)) / scale};
}

struct Judged {
  Tensor scores;
  size_t best = 0;
  bool first = false, in_five = false;
};

Judged judge(Tensor scores, int64_t wanted) {
  const std::vector<double> values = scores.to_doubles();
  Judged judged;
  judged.best = static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
  if (wanted < 0 || wanted >= static_cast<int64_t>(values.size()))
    fail(Code::invalid_argument, "its class, with --class-offset, is element {} of the output, which has {}", wanted,
         values.size());
  const double mine = values[static_cast<size_t>(wanted)];
  const auto above = std::count_if(values.begin(), values.end(), [&](double value) { return value > mine; });
  judged.first = judged.best == static_cast<size_t>(wanted);
  judged.in_five = above < 5;
  judged.scores = std::move(scores);
  return judged;
}

// A plan, or a model and what it becomes, with the output that is judged.
class Judge {
 public:
  Judge(Plan plan, std::shared_ptr<Device> device, const std::string& output)
      : runner_(std::move(plan), std::move(device)) {
    std::string names;
    for (const Binding& binding : runner_.plan().bindings) {
      if (binding.is_input) continue;
      names += (names.empty() ? "" : ", ") + binding.name;
      if (output_.empty() || binding.name == output) output_ = binding.name;
    }
    if (!output.empty() && output_ != output) fail(Code::not_found, "--output-name {}; there are {}", output, names);
  }

  Judged operator()(const Sample& sample, int64_t wanted) {
    for (const auto& [name, tensor] : sample) runner_.set_input(name, tensor);
    runner_.bind_outputs();
    const auto start = std::chrono::steady_clock::now();
    runner_.run();
    ms_.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    return judge(Tensor::copy_of(runner_.output(output_)), wanted);
  }
  const Plan& plan() const { return runner_.plan(); }
  Statistics statistics() const { return statistics_of(ms_); }

 private:
  Runner runner_;
  std::string output_;
  std::vector<double> ms_;
};

struct Tally {
  int count = 0, first = 0, in_five = 0;
  int other_first = 0, won = 0, lost = 0, same = 0;  // beside another
  SignalToNoise noise;
};

nlohmann::json share_json(int hits, int n) {
  const auto [centre, half] = wilson(hits, n);
  return {{"share", static_cast<double>(hits) / n}, {"low", centre - half}, {"high", centre + half}};
}

void print_share(const char* what, int hits, int n) {
  const auto [centre, half] = wilson(hits, n);
  std::printf("%s %.2f %% (%.2f to %.2f), %d of %d\n", what, 100.0 * hits / n, 100 * (centre - half),
              100 * (centre + half), hits, n);
}

// Difference of two shares of the same pictures: (won - lost) / n, variance of the mean of -1, 0, 1.
std::pair<double, double> paired(const Tally& t) {
  const double n = t.count, mean = (t.won - t.lost) / n;
  return {mean, 1.959964 * std::sqrt(std::max(0.0, (t.won + t.lost) / n - mean * mean) / n)};
}

void report(const EvaluateCommand& command, const Tally& t, double ms) {
  const auto [difference, half] = paired(t);
  const double decibels = t.noise.decibels();
  if (!command.common.quiet) {
    print_share("top-1", t.first, t.count);
    print_share("top-5", t.in_five, t.count);
    std::printf("median %.3f ms a picture\n", ms);
    if (!command.against.empty())
      std::printf("beside %s (top-1 %.2f %%): %+.2f points (%+.2f to %+.2f), same class %.2f %%, SQNR %.2f dB\n",
                  command.against.c_str(), 100.0 * t.other_first / t.count, 100 * difference, 100 * (difference - half),
                  100 * (difference + half), 100.0 * t.same / t.count, decibels);
  }
  if (command.common.json.empty()) return;
  nlohmann::json json = {{"count", t.count},
                         {"top1", share_json(t.first, t.count)},
                         {"top5", share_json(t.in_five, t.count)},
                         {"median_ms", ms}};
  if (!command.against.empty())
    json["against"] = {{"top1", static_cast<double>(t.other_first) / t.count},
                       {"difference", difference},
                       {"half_interval", half},
                       {"same_class", static_cast<double>(t.same) / t.count},
                       {"sqnr_db", std::isfinite(decibels) ? nlohmann::json(decibels) : nlohmann::json("inf")}};
  write_json(command.common.json, json);
}

void count(Tally& tally, const Judged& mine, const Judged* other) {
  ++tally.count;
  tally.first += mine.first ? 1 : 0;
  tally.in_five += mine.in_five ? 1 : 0;
  if (other == nullptr) return;
  tally.other_first += other->first ? 1 : 0;
  tally.won += mine.first && !other->first ? 1 : 0;
  tally.lost += !mine.first && other->first ? 1 : 0;
  tally.same += mine.best == other->best ? 1 : 0;
  tally.noise.add(mine.scores, other->scores);
}

void run_evaluate(EvaluateCommand& command) {
  CommonOptions& common = command.common;
  declare_files(common, {{"--labels", command.labels}, {"--against", command.against}});
  const Labels labels = parse_labels(command.labels);
  const auto device = open_device(common);
  Judge mine(obtain_plan(common, *device, {}), device, command.output);
  std::unique_ptr<Judge> other;
  if (!command.against.empty()) {
    CommonOptions plain = common;
    plain.model = command.against;
    plain.precision = "fp32";
    plain.quantization = {};
    plain.weight_precision.clear();
    plain.weight_flags = {};
    other = std::make_unique<Judge>(obtain_plan(plain, *device, {}), device, command.output);
  }
  const Samples samples("--images", command.data, input_types(mine.plan()));
  if (samples.count() == 0)
    fail(Code::invalid_argument, "--images {}: --except {} leaves none of its pictures; one is needed",
         command.data.data, command.data.except);
  Tally tally;
  for (int i = 0; i < samples.count(); ++i) {
    const auto label = labels.find(samples.name(i));
    if (label == labels.end()) fail(Code::not_found, "{} has no class of '{}'", command.labels, samples.name(i));
    if (!common.quiet) show_progress({"evaluating", i, samples.count()});
    const Sample sample = samples.at(i);
    const int64_t wanted = label->second + command.offset;
    with_context([&] { return samples.name(i); },
                 [&] {
                   const Judged found = mine(sample, wanted);
                   const auto beside = other ? std::optional<Judged>((*other)(sample, wanted)) : std::nullopt;
                   count(tally, found, beside ? &*beside : nullptr);
                 });
  }
  clear_progress();
  report(command, tally, mine.statistics().median_ms);
}

}  // namespace

void add_evaluate(CLI::App& app) {
  auto command = std::make_shared<EvaluateCommand>();
  CLI::App* sub = app.add_subcommand("evaluate", "Count how many pictures of a folder get the class that they have");
  add_model_options(*sub, command->common);
  add_build_options(*sub, command->common);
  sub->add_option("--images", command->data.data, "Folder of pictures")->required();
  sub->add_option("--labels", command->labels, "Text of FILE CLASS lines")->required();
  sub->add_option("--image", command->data.images, "NAME:RECIPE for pictures, as for run");
  sub->add_option("--samples", command->data.samples, "So many of the pictures, evenly spread; 0: all");
  sub->add_option("--except", command->data.except, "Without those that `calibrate --samples` of this number takes");
  sub->add_option("--class-offset", command->offset, "Index of class 0 in the output");
  sub->add_option("--output-name", command->output, "The output that is judged; default: the first");
  sub->add_option("--against", command->against, "Another plan or model to compare with");
  sub->footer(kEvaluateExamples);
  sub->callback([command] { run_evaluate(*command); });
}

}  // namespace planish::cli
