#pragma once
// Files of BlobProtos: the layers of a .caffemodel, the mean of a .binaryproto.

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace planish::caffe::wire {

// One blob as it stands in the file; its elements are counted when it is asked for a tensor.
struct Blob {
  std::vector<int64_t> extents;
  DataType dtype = DataType::f32;       // of the elements in the file
  std::span<const std::byte> elements;  // a view of the file…
  std::vector<double> loose;            // …or elements that stand one by one
  std::shared_ptr<const void> owner;    // keeps the view alive; empty: it is copied

  int64_t count() const;  // Error(invalid_model) for impossible extents, or other elements than these
  // As f32, with these extents of the same count. Shares the file's memory where that is f32, aligned and kept alive.
  Tensor tensor(const std::vector<int64_t>& extents) const;
};

using LayerBlobs =
    std::map<std::string, std::vector<Blob>>;  // by the name of the layer; those without blobs are left out

// Of a NetParameter, with layers of either format. Error(invalid_model) for anything malformed.
LayerBlobs read_weights(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner);

Blob read_blob(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner);

}  // namespace planish::caffe::wire
