// Constant data that the caller keeps alive until the network is built.
#ifndef PLANISH_TENSORRT_WEIGHTS_H
#define PLANISH_TENSORRT_WEIGHTS_H

#include "nvinfer/dims.h"

namespace nvinfer1 {

class Weights {
 public:
  DataType type;
  void const* values;
  int64_t count;
};

// Axis i of the result is axis order[i] of the operand.
struct Permutation {
  int32_t order[Dims::MAX_DIMS];
};

// Which of a layer's weights.
enum class WeightsRole : int32_t { kKERNEL = 0, kBIAS = 1, kSHIFT = 2, kSCALE = 3, kCONSTANT = 4, kANY = 5 };
template <>
constexpr int32_t EnumMax<WeightsRole>() {
  return PLANISH_TENSORRT_LAYOUT == 7 ? 5 : 6;
}

// A block of memory that the library made: a plan, a timing cache. Also implemented by callers up to major 7.
class IHostMemory {
 public:
  virtual ~IHostMemory() = default;
  virtual void* data() const = 0;
  virtual size_t size() const = 0;
  virtual DataType type() const = 0;
  virtual void destroy() = 0;
};

}  // namespace nvinfer1

#endif
