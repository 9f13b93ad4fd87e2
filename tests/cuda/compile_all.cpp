// Compiles every kernel of src/kernels/cuda with NVRTC for every architecture, and holds registers and spills to
// limits.
//
// A line `// instance [arch …]: MACRO=VALUE …` of a .cuh names one instantiation; a list of architectures in brackets
// restricts it. Arguments: parts of names of the files to compile; none: all of them.

#include <cstdio>
#include <cstring>
#include <regex>
#include <sstream>

#include "base/error.h"
#include "device/cuda/nvrtc.h"
#include "kernels/cuda/sources.h"

namespace planish {
namespace {

constexpr const char* kArchitectures[] = {"sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120a"};
constexpr int kSpillLimit = 0;  // bytes stored
constexpr size_t kMostLog = 2000;

struct Instance {
  std::vector<std::string> architectures;  // empty: all
  std::vector<std::string> options;
};

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

std::vector<Instance> instances_of(std::string_view text) {
  std::vector<Instance> found;
  std::istringstream stream{std::string(text)};
  const std::regex form(R"(^// instance(?: \[([^\]]*)\])?:(.*)$)");
  std::smatch match;
  for (std::string line; std::getline(stream, line);) {
    if (!std::regex_match(line, match, form)) continue;
    Instance instance{words(match[1]), {}};
    for (const std::string& word : words(match[2])) instance.options.push_back("-D" + word);
    found.push_back(std::move(instance));
  }
  return found;
}

bool wanted(const Instance& instance, const std::string& arch) {
  const auto& list = instance.architectures;
  return list.empty() || std::find(list.begin(), list.end(), arch) != list.end();
}

// "64 registers, 0 bytes spilled": the most of any function in the log.
struct Usage {
  int registers = 0, spilled = 0, shared = 0;
};

int most(const std::string& log, const char* pattern) {
  int value = 0;
  const std::regex form(pattern);
  for (std::sregex_iterator at(log.begin(), log.end(), form), end; at != end; ++at)
    value = std::max(value, std::stoi((*at)[1]));
  return value;
}

Usage usage_of(const std::string& log) {
  return {most(log, R"(Used (\d+) registers)"), most(log, R"((\d+) bytes spill stores)"),
          most(log, R"((\d+) bytes smem)")};
}

bool compile_one(const CudaSource& source, const Instance& instance, const std::string& arch) {
  std::vector<cuda::SourceFile> headers;
  for (const CudaSource& header : cuda_sources()) headers.push_back({header.name, header.text});
  std::vector<std::string> options = instance.options;
  options.insert(options.end(), {"--ptxas-options=-v", "--restrict"});
  std::string what;
  for (const std::string& option : instance.options) what += " " + option.substr(2);
  try {
    const cuda::Image image = cuda::compile(source.text, source.name, headers, options, arch);
    const Usage usage = usage_of(image.log);
    std::printf("%-8s %s%s: %d registers, %d bytes spilled, %d bytes of shared memory, image of %zu bytes\n",
                arch.c_str(), std::string(source.name).c_str(), what.c_str(), usage.registers, usage.spilled,
                usage.shared, image.cubin.size());
    return usage.spilled <= kSpillLimit;
  } catch (const Error& error) {
    std::printf("%-8s %s%s: %s\n", arch.c_str(), std::string(source.name).c_str(), what.c_str(),
                std::string(error.what()).substr(0, kMostLog).c_str());
    // A compiler that is older than an architecture says nothing of the kernel.
    return error.code() == Code::unsupported;
  }
}

bool selected(const CudaSource& source, int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    if (source.name.find(argv[i]) != std::string_view::npos) return true;
  return argc == 1;
}

int compile_all(int argc, char** argv) {
  if (!cuda::nvrtc_missing().empty()) {
    std::printf("nothing is compiled: %s\n", cuda::nvrtc_missing().c_str());
    return 0;
  }
  int count = 0, failed = 0;
  for (const CudaSource& source : cuda_sources()) {
    if (!selected(source, argc, argv)) continue;
    for (const Instance& instance : instances_of(source.text))
      for (const char* arch : kArchitectures) {
        if (!wanted(instance, arch)) continue;
        ++count;
        failed += compile_one(source, instance, arch) ? 0 : 1;
      }
  }
  std::printf("NVRTC %s: %d images, %d of them wrong or with more than %d bytes spilled\n",
              cuda::nvrtc_version().c_str(), count, failed, kSpillLimit);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace planish

int main(int argc, char** argv) { return planish::compile_all(argc, argv); }
