#pragma once
// NVRTC, the compiler of CUDA C++, opened at run time. It needs no GPU.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace planish::cuda {

// A header that a source may include by `name`.
struct SourceFile {
  std::string_view name, text;
};

struct Image {
  std::string cubin;  // ELF, for one architecture
  std::string log;    // warnings; registers, spills and shared memory of each function when asked for ("-Xptxas=-v")
};

// Empty: NVRTC can be used. Else why not, in one line.
const std::string& nvrtc_missing();

// "13.0"; part of what an image depends on. Empty when NVRTC is missing.
std::string nvrtc_version();

// arch: "sm_90a". Error(unsupported) when NVRTC is missing or does not know the architecture, Error(internal) with
// the compiler's log when it refuses the source.
Image compile(std::string_view source, std::string_view name, std::span<const SourceFile> headers,
              std::span<const std::string> options, std::string_view arch);

}  // namespace planish::cuda
