// libFuzzer target: any text becomes a graph, or an Error. What becomes one is printed and parsed to an equal one.

#include <cstdint>

#include "base/error.h"
#include "ir/text.h"
#include "ops/builder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace planish;
  Graph graph;
  try {
    graph = parse_graph({reinterpret_cast<const char*>(data), size});
  } catch (const Error& error) {
    if (error.code() == Code::internal) __builtin_trap();
    return 0;
  }
  PrintOptions whole;
  whole.inline_elements = INT64_MAX;
  if (!equal(parse_graph(print(graph, whole)), graph)) __builtin_trap();
  try {
    verify(graph);
    infer_all(graph);
  } catch (const Error& error) {
    if (error.code() == Code::internal) __builtin_trap();
  }
  return 0;
}
