#pragma once
// Nodes that a parser read, as layers of the interface: what is read of them is the model's, and stays.

#include <map>
#include <memory>

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {

// The layer of a node; `tensors` has its operands and is given its results.
std::unique_ptr<LayerCore> import_layer(NetworkImpl& network, Node node, std::map<planish_value, TensorImpl*>& tensors);

// The layer of a node that is made again from what was read when something before it changes. It has its node.
// `read`: a copy of the network that keeps it.
std::unique_ptr<LayerCore> read_layer(NetworkImpl& network, std::shared_ptr<const Network> read, Node node,
                                      std::map<planish_value, TensorImpl*>& tensors);

// A file that is read again with other extents must have a node for each layer of read_layer(); Error: it has not.
void require_same_layers(const Network& read, const std::vector<std::unique_ptr<LayerCore>>& layers);

// It has become the network: those layers take the nodes of their names, and are made. The first of them whose operands
// are not those that the file says, or null.
LayerCore* bind_layers(NetworkImpl& network, const std::vector<std::unique_ptr<LayerCore>>& layers);

// A constant of the network as a layer's result.
std::unique_ptr<LayerCore> constant_layer(NetworkImpl& network, Value constant);

// A network that shows its batch, for one that hides it: the first extent of its inputs gets the name `batch`, and
// Reshapes to a batch of 1 keep the batch instead. The network as it is where that cannot be.
Network with_hidden_batch(Network read, const char* batch);

}  // namespace planish::tensorrt
