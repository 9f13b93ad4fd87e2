#pragma once
// A model file into a network, and what the options say about its tensors and layers.

#include <memory>

#include "NvInfer.h"
#include "trtexec/options.h"

namespace planish::trtexec {

// The parser lives as long as the network: it may own what the network points to.
struct ParsedNetwork {
  std::shared_ptr<void> parser;
  std::unique_ptr<nvinfer1::INetworkDefinition> network;
};

ParsedNetwork parse_model(const Options& options, nvinfer1::IBuilder& builder);
void apply_formats(const Options& options, nvinfer1::INetworkDefinition& network);
void apply_layer_types(const Options& options, nvinfer1::INetworkDefinition& network);
// Profiles for the dynamic inputs; none where all are fixed.
void add_profiles(const Options& options, nvinfer1::IBuilder& builder, const nvinfer1::INetworkDefinition& network,
                  nvinfer1::IBuilderConfig& config);

nvinfer1::Dims dims_of(const Extents& extents);

}  // namespace planish::trtexec
