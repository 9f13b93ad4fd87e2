#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/options.h"
#include "cli/report.h"
#include "importers/onnx/rewrite/quantize.h"

namespace planish::cli {
namespace {

constexpr const char* kQuantizeExamples =
    "Examples:\n"
    "  planish quantize model.onnx -o int4.onnx --weights int4             MatMulNBits, blocks of 32\n"
    "  planish quantize model.onnx -o int8.onnx --weights int8             DequantizeLinear, a scale a column\n"
    "  planish quantize model.onnx -o int4.onnx --weights int4 --form dequantize --block 64    opset 21 and later\n"
    "  planish quantize model.onnx -o dynamic.onnx --dynamic               DynamicQuantizeLinear and MatMulInteger\n"
    "The files are what ONNX Runtime runs, too. planish build --weights int4 does the same while it builds.";

struct QuantizeCommand {
  std::string model, output, weights, form = "auto", json;
  WeightFlags flags;
  bool quiet = false;
};

onnx::WeightForm form_of(const QuantizeCommand& command) {
  if (command.flags.dynamic) {
    if (command.form != "auto" && command.form != "integers")
      throw UsageError("--dynamic: --form integers is accepted with it");
    return onnx::WeightForm::integers;
  }
  if (command.form == "auto") return onnx::WeightForm::automatic;
  if (command.form == "bits") return onnx::WeightForm::bits;
  if (command.form == "dequantize") return onnx::WeightForm::dequantize;
  throw UsageError(
      fmt::format("--form {}: auto, bits (MatMulNBits) and dequantize (DequantizeLinear) are accepted", command.form));
}

void run_quantize(QuantizeCommand& command) {
  if (!command.weights.empty() && !is_weight_precision(command.weights))
    throw UsageError(fmt::format("--weights {}: int8 and int4 are accepted", command.weights));
  if (command.weights.empty() && !command.flags.dynamic)
    throw UsageError("--weights int8 or int4, or --dynamic, is needed");
  if (command.output == "-") throw UsageError("--output -: a file is accepted");
  Files files;
  files.reads("the model", command.model);
  files.writes("--output", command.output);
  files.writes("--json", command.json);
  const WeightOptions options = weight_options(command.weights, command.flags);
  const onnx::QuantizeRequest request{weight_format(options), form_of(command), options.exclude};
  const onnx::QuantizedFile file = onnx::quantize_file(command.model, request);
  write_file_atomic(command.output, file.bytes);
  if (!command.json.empty())
    write_json(
        command.json,
        {{"layers", file.layers}, {"weights_before", file.weights_before}, {"weights_after", file.weights_after}});
  if (command.quiet || command.json == "-") return;
  std::printf("%s: %zu layers, their weights %.1f MB in place of %.1f\n", command.output.c_str(), file.layers.size(),
              static_cast<double>(file.weights_after) * 1e-6, static_cast<double>(file.weights_before) * 1e-6);
}

}  // namespace

void add_quantize(CLI::App& app) {
  auto command = std::make_shared<QuantizeCommand>();
  CLI::App* sub = app.add_subcommand("quantize", "Write an ONNX file whose weights are integers of 8 or 4 bits");
  sub->add_option("model", command->model, "An .onnx file")->required();
  sub->add_option("-o,--output", command->output, "The file to write")->required();
  sub->add_option("--weights", command->weights, "int8 or int4");
  add_weight_options(*sub, command->flags);
  sub->add_option("--form", command->form, "auto, bits (MatMulNBits) or dequantize (DequantizeLinear)");
  sub->add_option("--json", command->json, "Machine-readable results; - for standard output");
  sub->add_flag("-q,--quiet", command->quiet, "Print nothing");
  sub->footer(kQuantizeExamples);
  sub->callback([command] { run_quantize(*command); });
}

}  // namespace planish::cli
