// Rearranging weights before they are given to a network (up to major 8).
#ifndef PLANISH_TENSORRT_UTILS_H
#define PLANISH_TENSORRT_UTILS_H

#include "nvinfer/weights.h"

namespace nvinfer1 {
namespace utils {

// The weights of extents `shape` with their axes in the order `shapeOrder`, written to `data`.
extern "C" TENSORRTAPI bool reshapeWeights(Weights const& input, int32_t const* shape, int32_t const* shapeOrder,
                                           void* data, int32_t nbDims);
// `num` parts of `size` bytes change places: part i becomes what was part order[i].
extern "C" TENSORRTAPI bool reorderSubBuffers(void* input, int32_t const* order, int32_t num, int32_t size);
// `num` matrices of `height` x `width` elements are transposed in place.
extern "C" TENSORRTAPI bool transposeSubBuffers(void* input, DataType type, int32_t num, int32_t height, int32_t width);

}  // namespace utils
}  // namespace nvinfer1

#endif
