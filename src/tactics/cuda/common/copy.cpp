#include "tactics/cuda/common/copy.h"

#include "tactics/cuda/common/elementwise.h"
#include "tactics/cuda/common/source.h"

namespace planish {

Step cuda_copy_step(const ViewDesc& from, const ViewDesc& to, const std::string& arch) {
  const std::string word = tactics::cuda::word_type(from.dtype);
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
