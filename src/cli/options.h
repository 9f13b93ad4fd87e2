#pragma once
// Flags that several commands share, and what they mean.

#include <map>
#include <string>
#include <vector>

#include "cli/files.h"
#include "cli/inputs.h"
#include "cli/quantization.h"
#include "cli/weights.h"
#include "compile/build.h"
#include "importers/import.h"

namespace CLI {
class App;
}

namespace planish::cli {

// The command line itself is wrong: exit status 2.
class UsageError : public Error {
 public:
  explicit UsageError(std::string message) : Error(Code::invalid_argument, std::move(message)) {}
};

struct CommonOptions {
  std::string model;    // .onnx, .prototxt or a plan file
  std::string weights;  // of a .prototxt
  bool random_weights = false;
  std::vector<std::string> plugins;  // libraries
  std::string device = "auto";
  int threads = 0;
  std::vector<int> processors;      // of the pool's own threads; empty: any
  std::vector<std::string> shapes;  // NAME=1x3x224x224 or NAME=MIN:OPT:MAX
  std::string target;               // level to build for, or "cuda:sm_90a"
  bool no_fallback = false;
  std::string timing_cache;
  std::string precision = "fp32";
  bool no_tf32 = false, bf16 = false, fp16 = false;
  std::string tune = "fast";
  bool no_optimize = false;
  std::string dump_dir;
  bool verbose = false, quiet = false;
  std::string json;  // file for machine-readable results; "-": standard output
  QuantizationFlags quantization;
  std::string weight_precision;  // --weights int8 or int4; empty: weights stay as they are
  WeightFlags weight_flags;
  Files files;  // filled by declare_files()
};

// What is added to the command while it lives stands under this heading of --help.
class OptionGroup {
 public:
  OptionGroup(CLI::App& command, const std::string& heading);
  ~OptionGroup();
  OptionGroup(const OptionGroup&) = delete;
  OptionGroup& operator=(const OptionGroup&) = delete;

 private:
  CLI::App& command_;
  std::string before_;
};

void add_model_options(CLI::App& command, CommonOptions& options);
void add_build_options(CLI::App& command, CommonOptions& options);

// Names the files of these flags: those of `read` and `written` are of the command's own flags, {flag, path}.
using FlagPaths = std::vector<std::pair<std::string, std::string>>;
void declare_files(CommonOptions& options, const FlagPaths& read, const FlagPaths& written = {});
FlagPaths input_paths(const std::vector<std::string>& arguments);  // of --input NAME=FILE

// {"data", {{1,1,8},…}} from "data=1x3x224x224" or "data=1x3:2x3:4x3". Error(invalid_argument) otherwise.
std::pair<std::string, std::vector<DimRange>> parse_shape(const std::string& text);

// What --shape says of the inputs of a plan, for values that are made up or come without extents. Of a model the plan
// has them as the extents to optimise for.
Extents run_extents(const CommonOptions& options);

BuildOptions build_options(const CommonOptions& options);
// Refuses devices and precisions that this build does not offer, naming those it does.
std::shared_ptr<Device> open_device(const CommonOptions& options);

// The plan of options.model: loaded, or imported and built. `inputs` give the
// extents of dynamic inputs that no --shape names.
Plan obtain_plan(const CommonOptions& options, Device& device, const Inputs& inputs, BuildReport* report = nullptr);
Graph import_model(const CommonOptions& options, const Inputs& inputs);
// With the extents open that no --shape gives; `example`: flags that would give them, empty where there are none.
Graph import_open(const CommonOptions& options, std::string* example = nullptr);
bool is_plan_file(const std::string& path);

// Splits NAME=VALUE; Error(invalid_argument) names the flag otherwise.
std::pair<std::string, std::string> split_assignment(const std::string& flag, const std::string& text);

void log_choices(const BuildReport& report);

}  // namespace planish::cli
