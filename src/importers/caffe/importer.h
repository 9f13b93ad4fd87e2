#pragma once
// How one layer becomes nodes of the graph. A file `pooling.cpp` defines `register_pooling(LayerTable&)`.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "importers/caffe/graph/network.h"
#include "importers/caffe/graph/weights.h"
#include "importers/common/expansion.h"

namespace planish::caffe {

class LayerContext : public importers::Expansion {
 public:
  LayerContext(Graph& graph, const Layer& layer, const LayerWeights& weights, std::vector<ValueId> inputs)
      : Expansion(graph, layer.name, layer.name), layer_(layer), weights_(weights), inputs_(std::move(inputs)) {}

  const Layer& layer() const { return layer_; }
  const std::vector<ValueId>& inputs() const { return inputs_; }
  ValueId input(size_t i) const { return i < inputs_.size() ? inputs_[i] : ValueId{}; }
  bool has_input(size_t i) const { return i < inputs_.size(); }
  const TensorType& type(size_t i) const { return value(input(i)).type; }
  const Shape& shape(size_t i) const { return type(i).shape; }
  int rank(size_t i) const { return shape(i).rank(); }
  size_t tops() const { return layer_.tops.size(); }

  // The layer's message of this name, an empty one where it has none.
  const text::Message& param(std::string_view name) const;

  // What is learned. Error(invalid_model) for another number of blobs than `least` to `most`.
  void require_blobs(size_t least, size_t most) const;
  size_t blob_count() const;
  int64_t blob_elements(size_t i) const;  // 0: it is made up
  // Blob `i` as a constant of these extents; a file's may have further axes of extent 1 before them. `made`: what
  // it is where weights are made up.
  ValueId blob(size_t i, const std::vector<int64_t>& extents, Made made);
  Tensor blob_tensor(size_t i, const std::vector<int64_t>& extents, Made made) const;

  // `axis` counted from the end where negative.
  int axis(int64_t axis, int rank) const { return normalize_axis(axis, rank); }

  // Adds the last node: it gives the layer's tops.
  void emit(OpName op, std::vector<ValueId> inputs, Attrs attrs = {});
  // The layer's tops are these values.
  void give(std::vector<ValueId> values) { results = std::move(values); }

  std::vector<ValueId> results;

 private:
  const Layer& layer_;
  const LayerWeights& weights_;
  std::vector<ValueId> inputs_;
};

using LayerFn = void (*)(LayerContext&);

// How many bottoms and tops layers of a type have; -1: any number.
struct Arity {
  int least = 1, most = 1, least_tops = 1, most_tops = 1;
};

class LayerTable {
 public:
  struct Row {
    LayerFn import = nullptr;
    Arity arity;
  };
  void add(std::string_view type, LayerFn fn, Arity arity = {}) {
    if (!rows_.emplace(type, Row{fn, arity}).second) fail(Code::internal, "two importers of '{}'", type);
  }
  const Row* find(std::string_view type) const {
    auto at = rows_.find(type);
    return at == rows_.end() ? nullptr : &at->second;
  }
  std::vector<std::string> types() const {
    std::vector<std::string> names;
    for (const auto& [name, row] : rows_) names.push_back(name);
    return names;
  }

 private:
  std::map<std::string, Row, std::less<>> rows_;
};

const LayerTable& layer_table();

}  // namespace planish::caffe
