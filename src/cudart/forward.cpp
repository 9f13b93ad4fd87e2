// The driver decides: a toolkit without one cannot even allocate.

#include "cudart/forward.h"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/log.h"

namespace planish::cudart {
namespace {

void* driver() {
  static void* const library = [] {
    const char* const named = std::getenv("PLANISH_CUDA_DRIVER");
    return dlopen(named == nullptr ? "libcuda.so.1" : named, RTLD_NOW | RTLD_LOCAL);
  }();
  return library;
}

// By PLANISH_DEVICE, which says so of everything here.
bool processor_is_asked_for() {
  const char* const device = std::getenv("PLANISH_DEVICE");
  return device != nullptr && std::strcmp(device, "cpu") == 0;
}

bool driver_has_device() {
  const auto init = reinterpret_cast<int (*)(unsigned)>(driver_symbol("cuInit"));
  const auto count_devices = reinterpret_cast<int (*)(int*)>(driver_symbol("cuDeviceGetCount"));
  int count = 0;
  return init != nullptr && count_devices != nullptr && init(0) == 0 && count_devices(&count) == 0 && count > 0;
}

// Ours has the same name: it is told apart by a symbol.
void* open_real(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  if (dlsym(library, "planish_cudart_interface") == nullptr) return library;
  dlclose(library);
  return nullptr;
}

std::vector<std::string> folders() {
  std::vector<std::string> result;
  const char* paths = std::getenv("LD_LIBRARY_PATH");
  const std::string list = std::string(paths == nullptr ? "" : paths) + ":";
  for (size_t begin = 0, end; (end = list.find(':', begin)) != std::string::npos; begin = end + 1)
    if (end > begin) result.push_back(list.substr(begin, end - begin) + "/");
  for (const char* folder :
       {"/usr/local/cuda/lib64/", "/usr/lib/x86_64-linux-gnu/", "/usr/lib64/", "/opt/cuda/lib64/", ""})
    result.emplace_back(folder);
  return result;
}

void* find_real() {
  if (const char* named = std::getenv("PLANISH_CUDART_LIBRARY"); named != nullptr) return open_real(named);
  for (const char* name : {"libcudart.so.12", "libcudart.so.13"})
    for (const std::string& folder : folders())
      if (void* library = open_real(folder + name)) return library;
  return nullptr;
}

struct Choice {
  bool cuda = false;
  void* library = nullptr;
  int version = 0;
};

Choice choose() {
  const char* forced = std::getenv("PLANISH_CUDART");
  if (forced != nullptr && std::strcmp(forced, "cpu") != 0 && std::strcmp(forced, "cuda") != 0)
    log(Severity::warning, "PLANISH_CUDART={}: cpu and cuda are accepted; whether there is a driver decides", forced);
  if (forced != nullptr && std::strcmp(forced, "cpu") == 0) return {};
  const bool must = forced != nullptr && std::strcmp(forced, "cuda") == 0;
  if (!must && processor_is_asked_for()) return {};
  if (!must && !driver_has_device()) return {};
  Choice choice;
  choice.library = find_real();
  if (const char* named = std::getenv("PLANISH_CUDART_LIBRARY"); named != nullptr && choice.library == nullptr)
    log(Severity::warning, "PLANISH_CUDART_LIBRARY={}: it cannot be loaded", named);
  choice.cuda = must || choice.library != nullptr;
  if (choice.library == nullptr) return choice;
  const auto ask = reinterpret_cast<cudaError_t (*)(int*)>(dlsym(choice.library, "cudaRuntimeGetVersion"));
  if (ask != nullptr) ask(&choice.version);
  return choice;
}

const Choice& choice() {
  static const Choice chosen = choose();
  return chosen;
}

// Functions whose arguments CUDA 13 has changed.
bool changed(const char* name) {
  return std::strcmp(name, "cudaMemPrefetchAsync") == 0 || std::strcmp(name, "cudaMemAdvise") == 0;
}

}  // namespace

bool on_cuda() { return choice().cuda; }

void* real_symbol(const char* name) {
  const Choice& real = choice();
  if (real.library == nullptr || (real.version >= 13000 && changed(name))) return nullptr;
  return dlsym(real.library, name);
}

void* driver_symbol(const char* name) { return driver() == nullptr ? nullptr : dlsym(driver(), name); }

}  // namespace planish::cudart
