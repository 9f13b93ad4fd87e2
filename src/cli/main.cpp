// planish: build, run, bench, inspect, verify. Exit status: 0 done, 1 failed (one sentence says why), 2 usage.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/progress.h"

namespace {

int report(const std::string& sentence) {
  planish::cli::clear_progress();
  std::fprintf(stderr, "planish: %s\n", sentence.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Planish turns a trained network into a plan and runs it.\n\n"
      "  planish build model.onnx -o model.plan      import, optimise, tune, write the plan\n"
      "  planish run model.plan --input data=x.npy   one execution\n"
      "  planish bench model.plan --layers           how fast, and where the time goes\n"
      "  planish inspect model.onnx --support        what the model needs\n"
      "  planish verify model.onnx                   optimised against reference, layer by layer\n",
      "planish"};
  app.set_version_flag("--version", "planish " PLANISH_VERSION);
  app.require_subcommand(1);
  using namespace planish::cli;
  add_build(app);
  add_run(app);
  add_bench(app);
  add_inspect(app);
  add_verify(app);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const planish::Error& error) {
    return report(error.what());
  } catch (const std::bad_alloc&) {
    return report("out of memory");
  } catch (const std::exception& error) {
    return report(fmt::format("internal error: {}", error.what()));
  }
}
