#pragma once
// What the command line says. One table of fields parses it, prints it back in sections, and is the help.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trtexec/grammar.h"

namespace planish::trtexec {

// Extents that an input is built for: kMIN, kOPT, kMAX. An empty name pattern matches nothing; one `*` is a wildcard.
struct Range {
  std::array<std::optional<Extents>, 3> given;
  const Extents& at(size_t select) const { return *given[select]; }
};
using ProfileShapes = std::map<std::string, Range>;

enum class TimingCache { local, global, disable };
enum class Constraints { none, obey, prefer };

struct Options {
  // Model
  std::string onnx, deploy, caffe_model;
  std::vector<std::string> outputs;

  // Build
  int max_batch = 0, batch = 0;  // 0: not given; networks of Caffe only
  std::vector<ProfileShapes> profiles{1};
  int calibration_profile = 0;
  ProfileShapes calibration_shapes;
  std::vector<IoFormat> input_formats, output_formats;
  std::map<std::string, int64_t> pools;  // bytes
  int avg_timing = 8;
  bool tf32 = true, fp16 = false, bf16 = false, int8 = false, best = false, strongly_typed = false;
  std::string calibration;
  Constraints constraints = Constraints::none;
  std::vector<std::pair<std::string, std::vector<std::string>>> layer_precisions, layer_output_types;
  bool sparsity = false;
  std::string save_engine, load_engine;
  bool skip_inference = false;
  bool refit = false, strip = false;
  int verbosity = 0;  // of profiling: 0 names, 1 nothing, 2 details
  bool no_builder_cache = false;
  std::string timing_cache_file;
  int optimization_level = -1;  // -1: the library's

  // Inference
  std::map<std::string, Extents> shapes;
  std::map<std::string, std::string> inputs;
  int iterations = 10;
  double duration = 3, warm_up = 200, sleep = 0, idle = 0;  // seconds, then milliseconds
  int streams = 1;
  bool overlap = true, transfers = true, managed = false, spin = false, threads = false, graph = false;
  bool separate_profile = false, time_deserialize = false;
  std::string refit_model;
  int use_profile = 0;
  bool profile_chosen = false;
  std::string allocation = "static";

  // Reporting
  bool verbose = false;
  int avg_runs = 10;
  std::vector<float> percentiles{90, 95, 99};
  bool dump_output = false, dump_bindings = false, dump_profile = false, dump_layers = false, dump_profiles = false;
  bool dump_refit = false;
  std::string export_times, export_output, export_profile, export_layers;

  // System
  int device = 0;
  int dla_core = -1;
  bool gpu_fallback = false;
  std::vector<std::string> plugins, dynamic_plugins, plugins_to_serialize;

  bool help = false;
  std::vector<std::string> warnings;  // of parsing, to be said once the logger is set up

  TimingCache cache_mode() const {
    return no_builder_cache            ? TimingCache::disable
           : timing_cache_file.empty() ? TimingCache::local
                                       : TimingCache::global;
  }
  bool profiling() const { return dump_profile || !export_profile.empty(); }
};

enum class Section { model, build, inference, reporting, system, help };
enum class Meaning {
  honoured,
  none,     // accepted; `why` is said when it is given
  refused,  // an error; `why` is the reason
};

struct Field {
  Section section;
  std::string flag;   // "--onnx"
  std::string value;  // "=<file>"; empty: a switch
  std::string help;
  std::function<void(Options&, const std::string&)> take;
  std::string label = {};  // of its line in the printed section; empty: none
  std::function<std::string(const Options&)> show = {};
  Meaning meaning = Meaning::honoured;
  std::string why = {};
  bool repeats = false;  // may be given more than once
};

const std::vector<Field>& fields();
std::string title(Section section);  // "Model Options"

std::vector<Field> model_fields();
std::vector<Field> build_fields();
std::vector<Field> tactic_fields();  // of the build, too: how kernels are chosen, and what is done with the engine
std::vector<Field> inference_fields();
std::vector<Field> reporting_fields();
std::vector<Field> system_fields();
std::vector<Field> meaningless_fields();
std::vector<Field> refused_fields();

// Throws Usage.
Options parse(const std::vector<std::string>& arguments);
std::string help_text();
std::string describe(const Options& options);  // the sections, a line an option
std::string flags_in_markdown();               // the table of docs/trtexec.md

// A command line that cannot be used; a sentence a line.
struct Usage : std::invalid_argument {
  explicit Usage(const std::string& what) : Usage(std::vector<std::string>{what}) {}
  explicit Usage(std::vector<std::string> all) : std::invalid_argument(all.at(0)), lines(std::move(all)) {}
  std::vector<std::string> lines;
};

}  // namespace planish::trtexec
