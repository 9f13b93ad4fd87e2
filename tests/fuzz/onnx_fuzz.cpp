// libFuzzer target: any bytes as an ONNX file become a graph, or an Error. What does become one prints and parses back.

#include <cstdint>

#include "base/error.h"
#include "base/log.h"
#include "importers/onnx/import.h"
#include "ir/text.h"
#include "ops/builder.h"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  planish::set_log_sink([](planish::Severity, std::string_view) {});
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace planish;
  try {
    Graph graph = onnx::import_bytes({reinterpret_cast<const std::byte*>(data), size}, "fuzz");
    verify(graph);
    infer_all(graph);
    if (print(graph).empty()) __builtin_trap();
  } catch (const Error& error) {
    if (error.code() == Code::internal) __builtin_trap();
  }
  return 0;
}
