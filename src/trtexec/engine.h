#pragma once
// From a model, or from a file, to an engine.

#include <memory>
#include <string>

#include "NvInfer.h"
#include "trtexec/options.h"

namespace planish::trtexec {

struct LoadedEngine {
  std::unique_ptr<nvinfer1::IRuntime> runtime;
  std::unique_ptr<nvinfer1::ICudaEngine> engine;
};

// Builds, and saves where --saveEngine says so.
std::string build_plan(const Options& options);
std::string load_plan(const std::string& path);
LoadedEngine deserialize(const Options& options, const std::string& plan);
void time_deserialize(const Options& options, const std::string& plan);
// --dumpRefit and --refitFromOnnx.
void refit(const Options& options, nvinfer1::ICudaEngine& engine);

// Libraries of --plugins; they stay until the program ends.
void load_plugins(const Options& options);

void print_layers(const Options& options, const nvinfer1::ICudaEngine& engine, nvinfer1::IExecutionContext* context);
void print_profiles(const nvinfer1::ICudaEngine& engine);

}  // namespace planish::trtexec
