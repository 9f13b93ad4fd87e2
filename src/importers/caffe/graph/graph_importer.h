#pragma once
// GraphImporter: the layers of a network, one after the other, become nodes of the graph.

#include <set>

#include "importers/caffe/import.h"
#include "importers/caffe/importer.h"

namespace planish::caffe {

class GraphImporter {
 public:
  // `weights`: nullptr where values are made up.
  GraphImporter(const Network& network, const wire::LayerBlobs* weights, const ImportOptions& options)
      : network_(network), weights_(weights), options_(options), random_left_(options.most_random) {}

  Imported import();

 private:
  void import_inputs();
  bool is_input(ValueId id) const;
  void import_layer(const Layer& layer);
  static void run_importer(LayerContext& context);
  std::vector<ValueId> results_of(const Layer& layer, std::vector<ValueId> inputs);
  std::optional<std::vector<ValueId>> custom_results(const Layer& layer, const LayerWeights& weights,
                                                     const std::vector<ValueId>& inputs);
  LayerWeights weights_of(const Layer& layer);
  ValueId named(const std::string& blob, ValueId value, const std::string& layer);
  void mark_outputs();

  const Network& network_;
  const wire::LayerBlobs* weights_;
  const ImportOptions& options_;
  int64_t random_left_;
  Graph graph_;
  std::map<std::string, ValueId> blobs_;
  std::set<ValueId> given_;          // values that are some blob's already
  std::vector<std::string> unread_;  // blobs that no layer has read, in the order in which they were made
};

}  // namespace planish::caffe
