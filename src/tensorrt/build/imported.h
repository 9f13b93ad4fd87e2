#pragma once
// Nodes that a parser read, as layers of the interface: what is read of them is the model's, and stays.

#include <map>
#include <memory>

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {

// The layer of a node; `tensors` has its operands and is given its results.
std::unique_ptr<LayerCore> import_layer(NetworkImpl& network, Node node, std::map<planish_value, TensorImpl*>& tensors);

}  // namespace planish::tensorrt
