#pragma once
// Channels of a value brought to like magnitudes, so that one scale serves them all.

#include "compile/calibrate/calibrate.h"

namespace planish {

// Between a convolution and depthwise ones, with nothing but max(x, 0) and min(x, bound) between them, channel c is
// multiplied by
//   s = clamp(0.9 bound / peak, 1, 64)
// in the weights and bias before, and divided by it in the weights behind, which have a scale for each channel: the same
// result, but where a clipped value is above bound / s, which no sample's is. peak: the largest magnitude of the channel
// over the samples; bound: of the clip, without one the largest peak.
// `graph`: simplified().
Graph equalized(const Graph& graph, Device& device, const SampleSource& source);

}  // namespace planish
