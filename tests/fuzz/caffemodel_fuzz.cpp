// libFuzzer target: any bytes as the weights of a small Caffe network become a graph, or an Error; as a mean image a
// tensor, or an Error.

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "importers/caffe/import.h"

namespace {

constexpr std::string_view kNetwork = R"(
input: "x" input_dim: 1 input_dim: 2 input_dim: 4 input_dim: 4
layer { name: "a" type: "Convolution" bottom: "x" top: "a" convolution_param { num_output: 2 kernel_size: 1 } }
layer { name: "b" type: "BatchNorm" bottom: "a" top: "b" }
layer { name: "c" type: "PReLU" bottom: "b" top: "c" }
layer { name: "d" type: "InnerProduct" bottom: "c" top: "d" inner_product_param { num_output: 2 } }
)";

template <class Body>
void guarded(Body body) {
  try {
    body();
  } catch (const planish::Error& error) {
    if (error.code() == planish::Code::internal) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace planish;
  const caffe::Source bytes{"fuzz", {reinterpret_cast<const std::byte*>(data), size}, nullptr};
  const caffe::Source text{"net", {reinterpret_cast<const std::byte*>(kNetwork.data()), kNetwork.size()}, nullptr};
  guarded([&] { caffe::import_network(text, &bytes); });
  guarded([&] { caffe::read_blob(bytes); });
  return 0;
}
