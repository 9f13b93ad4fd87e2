// Fields of inference and reporting.

#include "trtexec/take.h"

namespace planish::trtexec {
namespace {

void take_duration(Options& o, const std::string& text) {
  o.duration = real(text, -1);
  if (o.duration < 0 && o.duration != -1) throw std::invalid_argument("a time is 0 or more; -1 is without end");
}

void take_percentiles(Options& o, const std::string& text) {
  o.percentiles.clear();
  for (const std::string& part : split(text, ',')) o.percentiles.push_back(static_cast<float>(real(part, 0)));
  if (o.percentiles.empty()) throw std::invalid_argument("the list is empty");
}

std::string milliseconds(double value) { return fmt::format("{:g}ms", value); }

}  // namespace

std::vector<Field> inference_fields() {
  constexpr Section s = Section::inference;
  return {
      {s, "--batch", "=N", "Batch of a Caffe network (default = 1)", whole(&Options::batch, 1), "Batch",
       [](const Options& o) { return o.batch > 0 ? std::to_string(o.batch) : "Explicit"; }},
      {s, "--shapes", "=spec", "Shapes of dynamic inputs; the form is that of --maxShapes",
       [](Options& o, const std::string& text) { o.shapes = shapes(text); }},
      {s, "--loadInputs", "=spec",
       "Input values from raw files, little-endian (default = random values)\nspec ::= name:file[,spec]",
       [](Options& o, const std::string& text) {
         for (auto& [name, file] : names_and_values(text))
           if (!o.inputs.emplace(name, file).second) throw std::invalid_argument("'" + name + "' is given two files");
       },
       "Inputs",
       [](const Options& o) {
         std::string text;
         for (const auto& [name, file] : o.inputs) text += "\n" + name + "<-" + file;
         return text;
       }},
      {s, "--iterations", "=N", "Run at least N inference iterations (default = 10)", whole(&Options::iterations, 0),
       "Iterations", [](const Options& o) { return std::to_string(o.iterations); }},
      {s, "--warmUp", "=N", "Run for N milliseconds before measuring (default = 200)", fraction(&Options::warm_up, 0)},
      {s, "--duration", "=N", "Measure for at least N seconds (default = 3); -1: until stopped", take_duration,
       "Duration", [](const Options& o) { return fmt::format("{:g}s (+ {:g}ms warm up)", o.duration, o.warm_up); }},
      {s, "--sleepTime", "=N", "Milliseconds between launch and the first computation (default = 0)",
       fraction(&Options::sleep, 0), "Sleep time", [](const Options& o) { return milliseconds(o.sleep); }},
      {s, "--idleTime", "=N", "Milliseconds between two iterations (default = 0)", fraction(&Options::idle, 0),
       "Idle time", [](const Options& o) { return milliseconds(o.idle); }},
      {s, "--infStreams", "=N", "Execution contexts that run side by side (default = 1)",
       whole(&Options::streams, 1, 1024), "Inference Streams",
       [](const Options& o) { return std::to_string(o.streams); }},
      {s, "--streams", "=N", "The older name of --infStreams", whole(&Options::streams, 1, 1024)},
      {s, "--exposeDMA", "", "Copies and computations take turns (default = disabled)", turn(&Options::overlap, false),
       "ExposeDMA", [](const Options& o) { return enabled(!o.overlap); }},
      {s, "--noDataTransfers", "", "No copies of inputs and outputs; outputs that are shown are copied at the end",
       turn(&Options::transfers, false), "Data transfers", whether(&Options::transfers)},
      {s, "--includeDataTransfers", "", "Copies are made (default)", turn(&Options::transfers)},
      {s, "--useManagedMemory", "", "One allocation for host and device (default = disabled)", turn(&Options::managed)},
      {s, "--useSpinWait", "", "Wait for events without sleeping (default = disabled)", turn(&Options::spin),
       "Spin-wait", whether(&Options::spin)},
      {s, "--noSpinWait", "", "Wait by sleeping (default)", turn(&Options::spin, false)},
      {s, "--threads", "", "A host thread for each context (default = disabled)", turn(&Options::threads),
       "Multithreading", whether(&Options::threads)},
      {s, "--useCudaGraph", "",
       "Launch a captured graph; given up with a word where the capture fails (default = disabled)",
       turn(&Options::graph), "CUDA Graph", whether(&Options::graph)},
      {s, "--noCudaGraph", "", "Launch without a graph (default)", turn(&Options::graph, false)},
      {s, "--separateProfileRun", "", "Times of layers are taken in a run of their own (default = disabled)",
       turn(&Options::separate_profile), "Separate profiling", whether(&Options::separate_profile)},
      {s, "--timeDeserialize", "", "Time how long the engine takes to load, and exit", turn(&Options::time_deserialize),
       "Time Deserialize", whether(&Options::time_deserialize)},
      {s, "--refitFromOnnx", "=<file>", "Give the engine the weights of this model first", word(&Options::refit_model),
       "Refit from ONNX", told(&Options::refit_model)},
      {s, "--useProfile", "=N", "Optimization profile of the contexts (default = 0)",
       [](Options& o, const std::string& text) {
         o.use_profile = static_cast<int>(integer(text, 0, 1 << 16));
         o.profile_chosen = true;
       },
       "Optimization Profile Index", [](const Options& o) { return std::to_string(o.use_profile); }},
      {s, "--allocationStrategy", "=spec",
       "static|profile|runtime: memory for all profiles, for the one in use, for the shapes in use",
       choice({"static", "profile", "runtime"},
              [](Options& o, size_t i) {
                o.allocation = std::vector<std::string>{"static", "profile", "runtime"}[i];
              })},
  };
}

std::vector<Field> reporting_fields() {
  constexpr Section s = Section::reporting;
  return {
      {s, "--verbose", "", "Use verbose logging (default = false)", turn(&Options::verbose), "Verbose",
       whether(&Options::verbose)},
      {s, "--avgRuns", "=N", "Report averages of N iterations each (default = 10)", whole(&Options::avg_runs, 1),
       "Averages", [](const Options& o) { return std::to_string(o.avg_runs) + " inferences"; }},
      {s, "--percentile", "=P1,P2,…", "Percentiles to report, 0 to 100 (default = 90,95,99)", take_percentiles,
       "Percentiles", [](const Options& o) { return fmt::format("{:g}", fmt::join(o.percentiles, ",")); }},
      {s, "--dumpOutput", "", "Print the outputs of the last iteration", turn(&Options::dump_output), "Dump output",
       whether(&Options::dump_output)},
      {s, "--dumpRawBindingsToFile", "", "Write inputs and outputs of the last iteration to raw files",
       turn(&Options::dump_bindings)},
      {s, "--dumpProfile", "", "Print times of layers", turn(&Options::dump_profile), "Profile",
       whether(&Options::dump_profile)},
      {s, "--dumpRefit", "", "Print layers and roles of the weights that can be exchanged", turn(&Options::dump_refit)},
      {s, "--dumpLayerInfo", "", "Print what the engine tells of its layers", turn(&Options::dump_layers)},
      {s, "--dumpOptimizationProfile", "", "Print the optimization profiles", turn(&Options::dump_profiles)},
      {s, "--exportTimes", "=<file>", "Write the times of all iterations as JSON", word(&Options::export_times),
       "Export timing to JSON file", told(&Options::export_times)},
      {s, "--exportOutput", "=<file>", "Write the outputs as JSON", word(&Options::export_output),
       "Export output to JSON file", told(&Options::export_output)},
      {s, "--exportProfile", "=<file>", "Write the times of layers as JSON", word(&Options::export_profile),
       "Export profile to JSON file", told(&Options::export_profile)},
      {s, "--exportLayerInfo", "=<file>", "Write what the engine tells of its layers as JSON",
       word(&Options::export_layers)},
  };
}

}  // namespace planish::trtexec
