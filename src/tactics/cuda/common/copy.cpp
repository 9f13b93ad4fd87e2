#include "tactics/cuda/common/copy.h"

#include "tactics/cuda/common/elementwise.h"

namespace planish {

Step cuda_copy_step(const ViewDesc& from, const ViewDesc& to, const std::string& arch) {
  static constexpr const char* kWords[] = {"", "uint8_t", "uint16_t", "", "uint32_t", "", "", "", "uint64_t"};
  const std::string word = kWords[element_bytes(from.dtype)];
  Step step;
  step.kind = StepKind::launch;
  step.op = "copy";
  step.kernel = "elementwise";
  step.inputs = {from};
  step.outputs = {to};
  const Dim count = Shape(to.dims).element_count();
  step.bytes = count * Dim(2 * element_bytes(from.dtype));
  step.params = tactics::cuda::elementwise_launch(word, {word}, word, "  const auto result = r0;\n", count).attrs(arch);
  return step;
}

}  // namespace planish
