#pragma once
// An ONNX file whose constant matrices become numbers of 8 or 4 bits; everything else stays byte for byte.

#include <string>
#include <vector>

#include "ops/common/block_weights.h"

namespace planish::onnx {

// bits: MatMulNBits of domain com.microsoft. dequantize: DequantizeLinear in front of MatMul. integers:
// DynamicQuantizeLinear and MatMulInteger. automatic: bits where there are blocks, else dequantize.
enum class WeightForm : uint8_t { automatic, bits, dequantize, integers };

struct QuantizeRequest {
  WeightFormat format;
  WeightForm form = WeightForm::automatic;
  std::vector<std::string> exclude;  // names of nodes that stay as they are
};

struct QuantizedFile {
  std::string bytes;
  std::vector<std::string> layers;
  int64_t weights_before = 0, weights_after = 0;
};

// Nodes MatMul and Gemm of the main graph whose second operand is an initializer [K, N] in f32, K of 16 and more.
// Error(invalid_argument): a form that the file's opset does not have, a name that no node has.
QuantizedFile quantize_file(const std::string& path, const QuantizeRequest& request);

}  // namespace planish::onnx
