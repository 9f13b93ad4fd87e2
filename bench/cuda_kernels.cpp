// The product kernels of kernels/cuda, layer by layer: every value against a plain convolution, and times of graphs.
//   bench_cuda_kernels compile FOLDER              images of all configurations; needs NVRTC, no GPU
//   bench_cuda_kernels run FOLDER [GROUP…]         on a GPU, with those images; groups: see kGroups. Default: all
// A configuration that fails is named and the rest goes on: jobs run in a process of their own, started again behind
// it.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cuda_kernels/job.h"
#include "device/cuda/nvrtc.h"
#include "kernels/cuda/sources.h"

extern char** environ;

namespace {

using namespace planish;
using namespace planish::kernel_bench;

// ---- compile ----
int compile_all(const std::string& folder) {
  const std::string checks =
      read_file((std::getenv("PLANISH_CHECKS") != nullptr ? std::getenv("PLANISH_CHECKS") : PLANISH_CHECKS_FOLDER) +
                std::string("/checks.cuh"));
  std::vector<cuda::SourceFile> headers = {{"checks.cuh", checks}};
  for (const CudaSource& source : cuda_sources()) headers.push_back({source.name, source.text});

  const std::vector<Layer> all = layers();
  std::map<std::string, std::string> sources;
  for (const Job& job : jobs(all)) {
    sources[job.image_name()] = job.source();
    sources["check_" + job.program()] = job.check_source();
  }
  std::filesystem::create_directories(folder);
  std::vector<std::pair<std::string, std::string>> work(sources.begin(), sources.end());
  std::atomic<size_t> next{0}, failed{0};
  auto worker = [&] {
    const std::vector<std::string> options = {"-std=c++17", "-default-device", "-DPLANISH_WATCHDOG",
                                              "--ptxas-options=-v"};
    for (size_t i; (i = next++) < work.size();) {
      const std::string path = folder + "/" + work[i].first;
      try {
        const cuda::Image image = cuda::compile(work[i].second, work[i].first, headers, options, "sm_90a");
        std::ofstream(path + ".cubin", std::ios::binary) << image.cubin;
        if (work[i].first.rfind("check_", 0) != 0 &&
            image.log.find(" 0 bytes spill stores, 0 bytes spill loads") == std::string::npos)
          std::printf("%s: spills\n%s\n", work[i].first.c_str(), image.log.c_str());
        if (image.log.find("serialize") != std::string::npos || image.log.find("ignored") != std::string::npos)
          std::printf("%s:\n%s\n", work[i].first.c_str(), image.log.c_str());
      } catch (const std::exception& error) {
        failed++;
        std::printf("%s: %s\n", work[i].first.c_str(), error.what());
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); i++) threads.emplace_back(worker);
  for (std::thread& thread : threads) thread.join();
  std::printf("%zu images, %zu failed\n", work.size(), failed.load());
  return failed == 0 ? 0 : 1;
}

// ---- run ----
int run_child(const std::string& folder, size_t from, const std::set<std::string>& groups) {
  if (cuda::driver().driver == nullptr) {
    std::printf("error\t%s\n", cuda::driver().reason.c_str());
    return 2;
  }
  api = cuda::driver().driver;
  cuda::ContextHandle* context = nullptr;
  CHECK(primary_retain(&context, 0));
  CHECK(context_push(context));
  CHECK(stream_create(&stream, cuda::kStreamNonBlocking));
  int processors = 0;
  CHECK(device_attribute(&processors, cuda::DeviceAttribute::multiprocessors, 0));
  const std::vector<Layer> all = layers();
  const std::vector<Job> list = jobs(all);
  std::unique_ptr<Data> data;
  std::string key;
  for (size_t i = from; i < list.size(); i++) {
    const Job& job = list[i];
    if (groups.count(job.layer->group) == 0) continue;
    std::printf("start\t%zu\n", i);
    std::fflush(stdout);
    const std::string wanted = job.layer->group + job.layer->name + job.type.key;
    if (wanted != key) {
      data.reset();
      data = std::make_unique<Data>(folder, job);
      key = wanted;
    }
    run_job(i, job, *data, folder, processors);
  }
  std::printf("end\n");
  std::fflush(stdout);
  std::_Exit(0);
}

struct Outcome {
  bool right = false;
  double plain = 0, dependent = 0, error = 0;
};

// Best configuration of a layer, or what went wrong with it.
class Table {
 public:
  explicit Table(const std::vector<Job>& list) : list_(list) {}
  void add(size_t index, const Outcome& outcome) {
    const Job& job = list_[index];
    const std::string key = job.layer->group + "\t" + job.layer->name + "\t" + job.type.key;
    if (rows_.count(key) == 0) order_.push_back(key);
    Row& row = rows_[key];
    row.tried++;
    row.right += outcome.right;
    if (!outcome.right) return;
    if (row.best == nullptr || outcome.dependent < row.outcome.dependent) row.best = &job, row.outcome = outcome;
    if (row.plain_best == 0 || outcome.plain < row.plain_best) row.plain_best = outcome.plain;
  }
  void print() {
    std::map<std::string, std::array<double, 3>> sums;
    std::printf("\n%-14s %-22s %-6s %-22s %5s %8s %8s %8s %6s %8s %8s %s\n", "group", "layer", "type", "best", "right",
                "plain", "dependent", "TFLOP/s", "roof", "cuDNN", "fused", "rel.err");
    for (const std::string& key : order_) {
      const Row& row = rows_[key];
      if (row.best == nullptr) {
        std::printf("%s: none of %d right\n", key.c_str(), row.tried);
        continue;
      }
      const Layer& layer = *row.best->layer;
      const int size = row.best->type.size;
      const double us = std::min(row.outcome.dependent, row.outcome.plain);
      const double rate = size == 1 ? 1500e6 : size == 4 ? 395e6 : 790e6;
      const double roof = std::max(layer.flops() / rate, layer.bytes(size) / 4.3e6);
      std::printf("%-14s %-22s %-6s %-22s %2d/%-2d %8.2f %8.2f %8.0f %5.0f%% %8.2f %8.2f %.1e\n", layer.group.c_str(),
                  layer.name.c_str(), row.best->type.key, row.best->config.text().c_str(), row.right, row.tried,
                  row.plain_best, row.outcome.dependent, layer.flops() / us * 1e-6, 100 * roof / us, layer.library,
                  layer.fused, row.outcome.error);
      auto& sum = sums[layer.group + " " + row.best->type.key];
      sum[0] += row.plain_best * layer.count, sum[1] += us * layer.count, sum[2] += roof * layer.count;
    }
    for (const auto& [group, sum] : sums)
      std::printf("sum %-20s plain %.1f us, dependent %.1f us, roofline %.1f us\n", group.c_str(), sum[0], sum[1],
                  sum[2]);
    std::fflush(stdout);
  }

 private:
  struct Row {
    const Job* best = nullptr;
    Outcome outcome;
    double plain_best = 0;
    int tried = 0, right = 0;
  };
  const std::vector<Job>& list_;
  std::map<std::string, Row> rows_;
  std::vector<std::string> order_;
};

// Runs a child from job `from` on; the job to go on with, or npos when it came to the end.
size_t watch_child(const char* self, const std::string& folder, size_t from, const std::vector<std::string>& groups,
                   const std::vector<Job>& list, Table& table, FILE* log) {
  int ends[2];
  if (pipe(ends) != 0) return std::string::npos;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  std::vector<std::string> words = {self, "child", folder, std::to_string(from)};
  words.insert(words.end(), groups.begin(), groups.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  const int spawned = posix_spawn(&child, self, &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (spawned != 0) return std::string::npos;
  size_t current = from;
  bool ended = false;
  std::string pending, trouble;
  for (;;) {
    pollfd wait{ends[0], POLLIN, 0};
    if (poll(&wait, 1, 30000) <= 0) {
      trouble = "nothing for 30 s";
      kill(child, SIGKILL);
      break;
    }
    char block[4096];
    const ssize_t got = read(ends[0], block, sizeof block);
    if (got <= 0) break;
    pending.append(block, static_cast<size_t>(got));
    for (size_t end; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1)) {
      const std::string line = pending.substr(0, end);
      size_t index = 0;
      long long exact = 0, close_ = 0, dependent_bad = 0;
      Outcome o;
      unsigned grid = 0;
      if (std::sscanf(line.c_str(), "start\t%zu", &index) == 1) {
        current = index;
      } else if (std::sscanf(line.c_str(), "done\t%zu\t%lld\t%lld\t%lld\t%lf\t%lf\t%lf\t%u", &index, &exact, &close_,
                             &dependent_bad, &o.error, &o.plain, &o.dependent, &grid) == 8) {
        o.right = exact == 0 && close_ == 0 && dependent_bad == 0;
        const Job& job = list[index];
        std::fprintf(log, "%s\t%s\t%s\t%s\t%u\t%.3f\t%.3f\t%.2e\t%lld\t%lld\t%lld\n", job.layer->group.c_str(),
                     job.layer->name.c_str(), job.type.key, job.config.text().c_str(), grid, o.plain, o.dependent,
                     o.error, exact, close_, dependent_bad);
        std::fflush(log);
        if (!o.right)
          std::printf("WRONG %s %s %s: %lld integers, %lld values, %lld in a chain of %lld, relative error %.1e\n",
                      job.layer->name.c_str(), job.image_name().c_str(), job.config.text().c_str(), exact, close_,
                      dependent_bad, static_cast<long long>(job.layer->output()), o.error);
        table.add(index, o);
        current = index + 1;
      } else if (line == "end") {
        ended = true;
      } else {
        trouble += line + " ";
      }
    }
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (ended) return std::string::npos;
  if (current < list.size()) {
    std::printf("FAILED %s %s: %s\n", list[current].layer->name.c_str(), list[current].image_name().c_str(),
                trouble.c_str());
    std::fflush(stdout);
    table.add(current, {});
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) return std::string::npos;
  return current + 1;
}

int run_all(const char* self, const std::string& folder, std::vector<std::string> groups) {
  if (groups.empty()) groups.assign(std::begin(kGroups), std::end(kGroups));
  const char* out = std::getenv("OUT");
  const std::vector<Layer> all = layers();
  const std::vector<Job> list = jobs(all);
  for (const std::string& group : groups) {  // a table a group, so that an end by time limit leaves the first ones
    FILE* log = std::fopen((std::string(out != nullptr ? out : ".") + "/cuda_kernels_" + group + ".tsv").c_str(), "w");
    if (log == nullptr) return 1;
    Table table(list);
    int failures = 0;
    for (size_t from = 0; from != std::string::npos && failures < 12; failures++)
      from = watch_child(self, folder, from, {group}, list, table, log);
    table.print();
    std::fclose(log);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 2 && words[0] == "compile") return compile_all(words[1]);
  if (words.size() >= 2 && words[0] == "run") return run_all(argv[0], words[1], {words.begin() + 2, words.end()});
  if (words.size() >= 3 && words[0] == "child")
    return run_child(words[1], std::stoul(words[2]), {words.begin() + 3, words.end()});
  std::fprintf(stderr, "usage: %s compile FOLDER | run FOLDER [GROUP...]\n", argv[0]);
  return 2;
}
