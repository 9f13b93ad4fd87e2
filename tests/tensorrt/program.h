// What programs of this folder begin with: a logger that keeps lines, expectations, weights from lists, files.
#ifndef PLANISH_TESTS_PROGRAM_H
#define PLANISH_TESTS_PROGRAM_H

#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "expect.h"
#include "implementers.h"

using namespace nvinfer1;
using namespace implementers;

static Logger logger;
constexpr bool kHidesBatch = NV_TENSORRT_MAJOR < 10;  // networks whose creation asks for nothing

inline Weights weights_of(const std::vector<float>& values) {
  return Weights{DataType::kFLOAT, values.data(), static_cast<int64_t>(values.size())};
}
const Weights kNone{DataType::kFLOAT, nullptr, 0};

inline bool near(float a, float b) { return std::fabs(a - b) <= 1e-4F * (1 + std::fabs(b)); }

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// A part of the last line that was logged.
inline bool logged(const std::string& what) {
  return !logger.lines.empty() && logger.lines.back().find(what) != std::string::npos;
}

inline std::unique_ptr<INetworkDefinition> explicit_network(IBuilder& builder) {
  return std::unique_ptr<INetworkDefinition>(builder.createNetworkV2(NV_TENSORRT_MAJOR >= 10 ? 0 : 1U));
}

#endif
