// What the examples share: a logger, complaints, pictures. C++11; after the headers of the interface.
#ifndef PLANISH_EXAMPLES_COMMON_H
#define PLANISH_EXAMPLES_COMMON_H

#include <cuda_runtime_api.h>

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

// A PGM (one channel) or PPM (red, green, blue) of these extents and 8 bits: bytes, row by row, channels together.
inline std::vector<unsigned char> read_picture(const std::string& path, int channels, int height, int width) {
  std::ifstream file(path, std::ios::binary);
  std::string magic;
  int found_width = 0, found_height = 0, most = 0;
  file >> magic >> found_width >> found_height >> most;
  file.get();
  if (magic != (channels == 1 ? "P5" : "P6") || most != 255 || found_width != width || found_height != height)
    fail(path + ": a " + (channels == 1 ? "PGM" : "PPM") + " of " + std::to_string(width) + " x " +
         std::to_string(height) + " is accepted");
  const std::vector<unsigned char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (bytes.size() != static_cast<size_t>(channels) * static_cast<size_t>(width) * static_cast<size_t>(height))
    fail(path + " is not complete");
  return bytes;
}

// Colours apart, times `factor`; `bgr`: blue first.
inline std::vector<float> planes(const std::vector<unsigned char>& bytes, float factor, bool bgr) {
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

#endif
