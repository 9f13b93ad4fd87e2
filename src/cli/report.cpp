#include "cli/report.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "base/file.h"
#include "kernels/kernel.h"

namespace planish::cli {
namespace {

double quantile(const std::vector<double>& sorted, double q) {
  const auto at = static_cast<size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5);
  return sorted[at];
}

}  // namespace

Statistics statistics_of(std::vector<double> ms) {
  if (ms.empty()) return {};
  std::sort(ms.begin(), ms.end());
  return {ms.front(),
          quantile(ms, .1),
          quantile(ms, .5),
          quantile(ms, .9),
          quantile(ms, .99),
          static_cast<int>(ms.size()),
          std::accumulate(ms.begin(), ms.end(), 0.0)};
}

double measure_peak_gflops(Isa isa, ThreadPool& pool) {
  const Kernel* kernel = cpu_kernels(isa).find("peak");
  int64_t rounds = 400000;
  float result[2] = {};
  const std::vector<int64_t> two = {2};
  const TensorView in = make_view(&rounds, DataType::i64, {}), out = make_view(result, DataType::f32, two);
  KernelArgs args;
  args.inputs = {&in, 1};
  args.outputs = {&out, 1};
  args.pool = &pool;
  double best = 0;
  pool.begin_run();
  for (int i = 0; i < 7; ++i) {
    const auto start = std::chrono::steady_clock::now();
    kernel->run(args);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, result[0] * pool.size() / seconds.count() * 1e-9);
  }
  pool.end_run();
  return best;
}

void write_text(const std::string& path, const std::string& text) {
  if (path != "-") return write_file_atomic(path, text);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void write_json(const std::string& path, const nlohmann::json& value) {
  write_text(path, value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

std::string file_name_of(const std::string& tensor_name) {
  constexpr size_t kLongest = 200;
  std::string name = tensor_name.substr(0, kLongest);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '/' || c == ':' || c == '\\' || c == 0; }, '_');
  return name;
}

std::map<std::string, std::string> file_names_of(const std::vector<std::string>& tensor_names) {
  std::map<std::string, std::string> names;
  std::set<std::string> taken;
  for (const std::string& tensor : tensor_names) {
    std::string name = file_name_of(tensor);
    for (int number = 2; !taken.insert(name).second; ++number)
      name = fmt::format("{}_{}", file_name_of(tensor), number);
    names[tensor] = name;
  }
  return names;
}

}  // namespace planish::cli
