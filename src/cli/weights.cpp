#include "cli/weights.h"

#include <CLI/CLI.hpp>

#include "cli/options.h"

namespace planish::cli {

bool is_weight_precision(const std::string& text) { return text == "int8" || text == "int4"; }

void add_weight_options(CLI::App& command, WeightFlags& flags) {
  command
      .add_option("--block", flags.block,
                  "Rows of a matrix that share a scale: 16 to 256, 0 for a scale a column (default 0 for int8, 32 "
                  "for int4)")
      ->default_str("");
  command.add_flag("--asymmetric", flags.asymmetric, "A zero point for each block: its range is used wholly");
  command.add_flag("--dynamic", flags.dynamic,
                   "Rows become 8-bit integers as they come, with a scale each; weights int8, a scale a column");
  command.add_option("--exclude", flags.exclude, "A layer that stays as it is; may be given again");
}

WeightOptions weight_options(const std::string& weights, const WeightFlags& flags) {
  WeightOptions options;
  options.bits = weights == "int8" ? 8 : weights == "int4" ? 4 : 0;
  options.block = flags.block;
  options.symmetric = !flags.asymmetric;
  options.dynamic = flags.dynamic;
  options.exclude = flags.exclude;
  const bool others = flags.block >= 0 || flags.asymmetric || !flags.exclude.empty();
  if (!options.wanted() && others)
    throw UsageError("--block, --asymmetric, --exclude: --weights int8 or int4, or --dynamic, is what they are for");
  check_weight_options(options);
  return options;
}

}  // namespace planish::cli
