#pragma once
// What the layers of a network have learned, or values that stand in for it.

#include <cstdint>
#include <string>
#include <vector>

#include "importers/caffe/graph/network.h"
#include "importers/caffe/wire/weights.h"

namespace planish::caffe {

// What a blob is where there are no weights: drawn so that results keep their range, or one value.
enum class Made { drawn, zeros, ones };

struct LayerWeights {
  const std::vector<wire::Blob>* blobs = nullptr;  // nullptr: made up
  uint64_t seed = 0;
  int64_t* left = nullptr;  // how many elements may still be made up
  bool half = false;        // rounded to f16

  // Error(unsupported) where so many more are too many.
  void charge(const std::vector<int64_t>& extents) const;
  Tensor tensor(size_t i, const std::vector<int64_t>& extents, Made made) const;

 private:
  Tensor exact(size_t i, const std::vector<int64_t>& extents, Made made) const;
};

// "[32, 3, 5, 5]"
std::string extents_text(const std::vector<int64_t>& extents);

}  // namespace planish::caffe
