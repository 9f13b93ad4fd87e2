#pragma once
// The layers of a network in the phase TEST, whichever format they are written in.

#include <string>
#include <vector>

#include "importers/caffe/text/message.h"

namespace planish::caffe {

struct Layer {
  std::string name, type;  // the type by its name of today: "Convolution"
  std::vector<std::string> bottoms, tops;
  const text::Message* message = nullptr;  // LayerParameter or V1LayerParameter
};

struct InputBlob {
  std::string name;
  std::vector<int64_t> extents;
};

struct Network {
  text::Message message;  // NetParameter; layers point into it
  std::string name;
  std::vector<InputBlob> inputs;  // those of layers Input as well
  std::vector<Layer> layers;      // without layers Input
};

// Error(invalid_model) "line:column: …".
Network read_network(std::string_view text);

}  // namespace planish::caffe
