// libFuzzer target: any text as a Caffe network, with made-up weights, becomes a graph, or an Error.

#include <cstdint>

#include "base/error.h"
#include "importers/caffe/import.h"
#include "ops/builder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace planish;
  try {
    caffe::ImportOptions options;
    options.random_weights = true;
    options.most_random = 1 << 20;
    const caffe::Source text{"fuzz", {reinterpret_cast<const std::byte*>(data), size}, nullptr};
    Graph graph = caffe::import_network(text, nullptr, options).graph;
    verify(graph);
    infer_all(graph);
  } catch (const Error& error) {
    if (error.code() == Code::internal) __builtin_trap();
  }
  return 0;
}
