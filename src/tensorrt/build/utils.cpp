// Rearranging weights, and what safety-certified devices alone have.

#include <cstring>
#include <numeric>
#include <vector>

#include "NvInferConsistency.h"
#include "NvInferSafeRuntime.h"
#include "NvUtils.h"
#include "tensorrt/runtime/report.h"
#include "tensorrt/runtime/types.h"

namespace {

using planish::tensorrt::type_of;

// Element i of the target is element from(i) of the source.
template <class From>
void rearrange(const char* source, char* target, size_t count, size_t bytes, From from) {
  for (size_t i = 0; i < count; ++i) std::memcpy(target + i * bytes, source + from(i) * bytes, bytes);
}

size_t bytes_of(nvinfer1::DataType type) { return planish_dtype_bytes(static_cast<planish_dtype>(type_of(type))); }

}  // namespace

extern "C" {

// Axis i of the result is axis order[i] of the input.
bool nvinfer1::utils::reshapeWeights(nvinfer1::Weights const& input, int32_t const* shape, int32_t const* order,
                                     void* data, int32_t rank) {
  if (input.values == nullptr || shape == nullptr || order == nullptr || data == nullptr || rank < 1 || rank > 8)
    return false;
  const auto axes = static_cast<size_t>(rank);
  std::vector<size_t> strides(axes, 1);
  int64_t count = 1;
  for (size_t axis = axes; axis-- > 0;) {
    strides[axis] = static_cast<size_t>(count);
    if (shape[axis] < 1 || order[axis] < 0 || order[axis] >= rank) return false;
    count *= shape[axis];
  }
  if (count != input.count) return false;
  rearrange(static_cast<const char*>(input.values), static_cast<char*>(data), static_cast<size_t>(count),
            bytes_of(input.type), [&](size_t at) {
              size_t from = 0;
              for (size_t axis = axes; axis-- > 0;) {
                const auto extent = static_cast<size_t>(shape[order[axis]]);
                from += at % extent * strides[static_cast<size_t>(order[axis])];
                at /= extent;
              }
              return from;
            });
  return true;
}

bool nvinfer1::utils::reorderSubBuffers(void* input, int32_t const* order, int32_t num, int32_t size) {
  if (input == nullptr || order == nullptr || num < 1 || size < 1) return false;
  for (int32_t i = 0; i < num; ++i)
    if (order[i] < 0 || order[i] >= num) return false;
  const auto count = static_cast<size_t>(num), bytes = static_cast<size_t>(size);
  auto* parts = static_cast<char*>(input);
  const std::vector<char> before(parts, parts + count * bytes);
  rearrange(before.data(), parts, count, bytes, [&](size_t i) { return static_cast<size_t>(order[i]); });
  return true;
}

bool nvinfer1::utils::transposeSubBuffers(void* input, nvinfer1::DataType type, int32_t num, int32_t height,
                                          int32_t width) {
  if (input == nullptr || num < 1 || height < 1 || width < 1) return false;
  const size_t bytes = bytes_of(type), rows = static_cast<size_t>(height), columns = static_cast<size_t>(width);
  auto* matrix = static_cast<char*>(input);
  for (int32_t i = 0; i < num; ++i, matrix += rows * columns * bytes) {
    const std::vector<char> before(matrix, matrix + rows * columns * bytes);
    rearrange(before.data(), matrix, rows * columns, bytes, [&](size_t at) { return at % rows * columns + at / rows; });
  }
  return true;
}

void* createConsistencyChecker_INTERNAL(void* logger, void const*, size_t, int32_t) {
  planish::tensorrt::say(static_cast<nvinfer1::ILogger*>(logger), nvinfer1::ILogger::Severity::kERROR,
                         "createConsistencyChecker: plans for safety-certified devices are not made here");
  return nullptr;
}

}  // extern "C"

nvinfer1::safe::IRuntime* nvinfer1::safe::createInferRuntime(nvinfer1::ILogger& logger) {
  planish::tensorrt::say(&logger, nvinfer1::ILogger::Severity::kERROR,
                         "safe::createInferRuntime: there is no safety-certified device here; nvinfer1::"
                         "createInferRuntime runs plans");
  return nullptr;
}
