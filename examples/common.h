// What the programs of this folder share: a logger, checks of calls, files, and pictures in the simplest formats.
// C++11.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "NvInfer.h"

class Logger : public nvinfer1::ILogger {
  void log(Severity severity, char const* text) noexcept override {
    if (severity < Severity::kINFO) std::fprintf(stderr, "%s\n", text);
  }
};

static Logger logger;

[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

inline void check(cudaError_t status) {
  if (status != cudaSuccess) fail(std::string("CUDA: ") + cudaGetErrorString(status));
}

template <class T>
T* made(T* object, const char* what) {
  if (object == nullptr) fail(std::string(what) + " could not be made");
  return object;
}

inline std::vector<char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path + " cannot be read");
  return std::vector<char>{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The bytes of a picture of these extents and 8 bits: "P5" (PGM, grey) or "P6" (PPM, colours side by side).
inline std::vector<unsigned char> read_pixels(const std::string& path, const char* format, int height, int width) {
  std::ifstream file(path, std::ios::binary);
  std::string magic;
  int found_width = 0, found_height = 0, most = 0;
  file >> magic >> found_width >> found_height >> most;
  file.get();
  const size_t colours = format[1] == '6' ? 3 : 1;
  std::vector<unsigned char> bytes(colours * static_cast<size_t>(height) * static_cast<size_t>(width));
  if (magic != format || most != 255 || found_width != width || found_height != height ||
      !file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size())))
    fail(path + (colours == 3 ? ": a PPM of " : ": a PGM of ") + std::to_string(width) + " x " +
         std::to_string(height) + " is accepted");
  return bytes;
}

// A PPM, colours apart, times `factor`; `bgr`: blue first.
inline std::vector<float> read_picture(const std::string& path, int height, int width, float factor, bool bgr) {
  const std::vector<unsigned char> bytes = read_pixels(path, "P6", height, width);
  const size_t pixels = bytes.size() / 3;
  std::vector<float> values(bytes.size());
  for (size_t channel = 0; channel < 3; ++channel)
    for (size_t i = 0; i < pixels; ++i)
      values[channel * pixels + i] = factor * static_cast<float>(bytes[3 * i + (bgr ? 2 - channel : channel)]);
  return values;
}

// The digit that a picture's name begins with.
inline int digit_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return path[slash == std::string::npos ? 0 : slash + 1] - '0';
}
