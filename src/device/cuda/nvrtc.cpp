#include "device/cuda/nvrtc.h"

#include <dlfcn.h>

#include <cstdlib>

#include "base/error.h"

namespace planish::cuda {
namespace {

struct ProgramHandle;

#define PLANISH_NVRTC(ENTRY)                                                                      \
  ENTRY(version, "nvrtcVersion", (int*, int*))                                                    \
  ENTRY(create, "nvrtcCreateProgram",                                                             \
        (ProgramHandle**, const char*, const char*, int, const char* const*, const char* const*)) \
  ENTRY(destroy, "nvrtcDestroyProgram", (ProgramHandle**))                                        \
  ENTRY(compile, "nvrtcCompileProgram", (ProgramHandle*, int, const char* const*))                \
  ENTRY(log_size, "nvrtcGetProgramLogSize", (ProgramHandle*, size_t*))                            \
  ENTRY(log, "nvrtcGetProgramLog", (ProgramHandle*, char*))                                       \
  ENTRY(cubin_size, "nvrtcGetCUBINSize", (ProgramHandle*, size_t*))                               \
  ENTRY(cubin, "nvrtcGetCUBIN", (ProgramHandle*, char*))

struct Library {
#define PLANISH_NVRTC_ENTRY(name, symbol, arguments) int(*name) arguments = nullptr;
  PLANISH_NVRTC(PLANISH_NVRTC_ENTRY)
#undef PLANISH_NVRTC_ENTRY
  const char* (*error_text)(int) = nullptr;
  std::string reason;  // why it cannot be used
};

void* open_any() {
  if (const char* path = std::getenv("PLANISH_NVRTC")) return dlopen(path, RTLD_NOW | RTLD_LOCAL);
  const char* const root = std::getenv("CUDA_HOME");
  const std::vector<std::string> folders = {"", "/usr/local/cuda/lib64/", "/usr/local/cuda/lib/",
                                            root == nullptr ? "" : std::string(root) + "/lib64/",
                                            root == nullptr ? "" : std::string(root) + "/lib/"};
  for (const char* name : {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"})
    for (const std::string& folder : folders)
      if (void* handle = dlopen((folder + name).c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
  return nullptr;
}

Library open_library() {
  Library library;
  void* handle = open_any();
  if (handle == nullptr) {
    const char* const path = std::getenv("PLANISH_NVRTC");
    library.reason =
        path != nullptr
            ? fmt::format("no CUDA compiler: PLANISH_NVRTC={} cannot be loaded", path)
            : "no CUDA compiler: libnvrtc.so.13 and libnvrtc.so.12 are not found (PLANISH_NVRTC names a path)";
    return library;
  }
  const auto find = [&](const char* symbol) {
    void* entry = dlsym(handle, symbol);
    if (entry == nullptr) library.reason = fmt::format("the CUDA compiler is too old: it lacks {}", symbol);
    return entry;
  };
#define PLANISH_NVRTC_ENTRY(name, symbol, arguments) \
  library.name = reinterpret_cast<decltype(library.name)>(find(symbol));
  PLANISH_NVRTC(PLANISH_NVRTC_ENTRY)
#undef PLANISH_NVRTC_ENTRY
  library.error_text = reinterpret_cast<const char* (*)(int)>(find("nvrtcGetErrorString"));
  return library;
}

const Library& library() {
  static const Library found = open_library();
  return found;
}

class Program {
 public:
  Program(std::string_view source, std::string_view name, std::span<const SourceFile> headers) {
    std::vector<std::string> texts, names;
    for (const SourceFile& header : headers) {
      texts.emplace_back(header.text);
      names.emplace_back(header.name);
    }
    std::vector<const char*> text_pointers, name_pointers;
    for (size_t i = 0; i < texts.size(); ++i) {
      text_pointers.push_back(texts[i].c_str());
      name_pointers.push_back(names[i].c_str());
    }
    check(library().create(&handle_, std::string(source).c_str(), std::string(name).c_str(),
                           static_cast<int>(texts.size()), text_pointers.data(), name_pointers.data()));
  }
  ~Program() { library().destroy(&handle_); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void compile(std::span<const std::string> options, std::string_view name) {
    std::vector<const char*> pointers;
    for (const std::string& option : options) pointers.push_back(option.c_str());
    const int result = library().compile(handle_, static_cast<int>(pointers.size()), pointers.data());
    if (result == 0) return;
    constexpr int kInvalidOption = 5;
    fail(result == kInvalidOption ? Code::unsupported : Code::internal, "compiling {}: {}\n{}", name,
         library().error_text(result), log());
  }
  std::string log() const { return text(library().log_size, library().log); }
  std::string cubin() const { return text(library().cubin_size, library().cubin, false); }

 private:
  std::string text(int (*size_of)(ProgramHandle*, size_t*), int (*read)(ProgramHandle*, char*),
                   bool terminated = true) const {
    size_t size = 0;
    check(size_of(handle_, &size));
    std::string out(size, '\0');
    if (size > 0) check(read(handle_, out.data()));
    if (terminated && !out.empty()) out.pop_back();
    return out;
  }
  static void check(int result) {
    if (result != 0) fail(Code::internal, "NVRTC: {}", library().error_text(result));
  }
  ProgramHandle* handle_ = nullptr;
};

}  // namespace

const std::string& nvrtc_missing() { return library().reason; }

std::string nvrtc_version() {
  int major = 0, minor = 0;
  if (!library().reason.empty() || library().version(&major, &minor) != 0) return "";
  return fmt::format("{}.{}", major, minor);
}

Image compile(std::string_view source, std::string_view name, std::span<const SourceFile> headers,
              std::span<const std::string> options, std::string_view arch) {
  if (!nvrtc_missing().empty()) fail(Code::unsupported, "{}", nvrtc_missing());
  std::vector<std::string> all = {fmt::format("--gpu-architecture={}", arch), "--std=c++17"};
  all.insert(all.end(), options.begin(), options.end());
  Program program(source, name, headers);
  program.compile(all, name);
  return {program.cubin(), program.log()};
}

}  // namespace planish::cuda
