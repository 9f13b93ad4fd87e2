#pragma once
// The commands. Each adds its options to `app` and runs when it was chosen; errors leave as exceptions.

namespace CLI {
class App;
}

namespace planish::cli {

void add_build(CLI::App& app);
void add_run(CLI::App& app);
void add_bench(CLI::App& app);
void add_inspect(CLI::App& app);
void add_verify(CLI::App& app);
void add_calibrate(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_quantize(CLI::App& app);

}  // namespace planish::cli
