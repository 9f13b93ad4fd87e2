#pragma once
// Which layer of the interface stands for a node that a parser read.

#include <memory>
#include <vector>

#include "tensorrt/build/layer.h"

namespace planish::tensorrt {

// Null: there is none of as many results, or the node has a property that the interface has no room for. Operands are
// null where they are constants.
std::unique_ptr<LayerCore> interface_layer(NetworkImpl& network, Node node, const std::vector<TensorImpl*>& operands,
                                           size_t results);

}  // namespace planish::tensorrt
