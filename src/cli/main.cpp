// planish: build, run, bench, inspect, verify, calibrate, evaluate, quantize. Exit status: 0 done, 1 failed (one
// sentence says why), 2 usage, 128 + N ended by signal N.

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <new>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/progress.h"

namespace {

int report(const std::string& sentence) {
  planish::cli::clear_progress();
  std::fprintf(stderr, "planish: %s\n", sentence.c_str());
  return 1;
}

std::string accepted_commands(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names += (names.empty() ? "" : ", ") + command->get_name();
  return names;
}

std::string usage_sentence(const CLI::App& app, int argc, char** argv, const CLI::ParseError& error) {
  const auto chosen = app.get_subcommands();
  if (!chosen.empty())
    return fmt::format("{}; planish {} --help lists what is accepted", error.what(), chosen[0]->get_name());
  if (argc < 2) return fmt::format("a command is missing; accepted: {}", accepted_commands(app));
  return fmt::format("'{}' is no command; accepted: {}", argv[1], accepted_commands(app));
}

// Models and plans are mapped: their pages are gone when somebody cuts the file short. Only what a signal handler may
// call.
void file_cut_short(int) {
  static constexpr char kSentence[] =
      "planish: a file was cut short while it was mapped; write new files beside old ones and rename them\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kSentence, sizeof kSentence - 1);
  _exit(1);
}

// An empty value comes of a shell variable that is not set; a name or number is meant.
// A flag takes one value, or the model behind it would be the next.
void settle_values(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; }))
    for (CLI::Option* option : command->get_options()) {
      if (option->get_default_str() == "[]") option->default_str("");
      if (!option->get_positional() && option->get_expected_max() > 1) option->allow_extra_args(false);
      if (option->get_expected_min() > 0)
        option->check([](const std::string& value) { return value.empty() ? "an empty value" : ""; }, "");
    }
}

// A file that is opened while 0, 1 or 2 is free would be taken for the standard stream of that number.
void fill_standard_streams() {
  int fd = open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO) fd = open("/dev/null", O_RDWR);
  if (fd >= 0) close(fd);
}

// What was printed is part of the result; a reader that went away (head) wanted no more of it.
int finish_output() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
  const std::string why = std::strerror(errno);
  pollfd reader{STDOUT_FILENO, POLLOUT, 0};
  if (poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) != 0) return 0;
  return report("standard output: cannot write: " + why);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGBUS, file_cut_short);
  std::signal(SIGPIPE, SIG_IGN);  // writing to who went away is an error, and so is a file beyond the limit
  std::signal(SIGXFSZ, SIG_IGN);
  fill_standard_streams();
  using namespace planish::cli;
  end_on_signals();
  CLI::App app{
      "Planish turns a trained network into a plan and runs it.\n\n"
      "  planish build model.onnx -o model.plan      import, optimise, tune, write the plan\n"
      "  planish run model.plan --input data=x.npy   one execution\n"
      "  planish bench model.plan --layers           how fast, and where the time goes\n"
      "  planish inspect model.onnx --support        what the model needs\n"
      "  planish verify model.onnx                   optimised against reference, layer by layer\n"
      "  planish calibrate model.onnx --data DIR -o TABLE    ranges for int8, from samples\n"
      "  planish evaluate model.plan --images DIR --labels F how many pictures get their class\n"
      "  planish quantize model.onnx -o int4.onnx --weights int4    weights of 8 or 4 bits in an ONNX file\n",
      "planish"};
  app.formatter(help_formatter());
  app.set_version_flag("--version", "planish " PLANISH_VERSION);
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default();  // --help shows them
  add_build(app);
  add_run(app);
  add_bench(app);
  add_inspect(app);
  add_verify(app);
  add_calibrate(app);
  add_evaluate(app);
  add_quantize(app);
  settle_values(app);
  try {
    app.parse(argc, argv);
    return finish_output();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error) + finish_output();  // --help, --version
    report(usage_sentence(app, argc, argv, error));
    return 2;
  } catch (const UsageError& error) {
    report(error.what());
    return 2;
  } catch (const planish::Error& error) {
    return report(error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    return report(fmt::format("{}: {}", error.path1().string(), error.code().message()));
  } catch (const std::bad_alloc&) {
    return report("out of memory");
  } catch (const std::exception& error) {
    return report(fmt::format("internal error: {}", error.what()));
  }
}
