#pragma once
// What a configuration and the tensors of a network say of ranges, as a calibration table.

#include <string>

#include "tensorrt/build/config.h"
#include "tensorrt/build/network.h"
#include "tensorrt/runtime/engine_device.h"

namespace planish::tensorrt {

struct Ranges {
  std::string table;     // empty: nothing says what the ranges are
  bool partial = false;  // dynamic ranges alone may leave tensors out
};

// Values of `whole` get the names of their tensors, which calibration tables speak of.
void name_values(const NetworkImpl& network, Network& whole);

// Asks the configuration's calibrator for its cache, or for batches, which are run through `whole`; dynamic ranges of
// tensors take the place of what it says.
Ranges ranges_of(NetworkImpl& network, const ConfigImpl& config, const Network& whole, EngineDevice& device);

}  // namespace planish::tensorrt
