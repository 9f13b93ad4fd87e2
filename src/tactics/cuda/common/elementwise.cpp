#include "tactics/cuda/common/elementwise.h"

#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {

Launch elementwise_launch(const std::string& arithmetic, const std::vector<std::string>& inputs,
                          const std::string& output, const std::string& body, Dim count) {
  std::string parameters, four, loads, four_arguments, arguments;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const char* const comma = i == 0 ? "" : ", ";
    parameters += fmt::format("{}{} r{}", comma, arithmetic, i);
    four +=
        fmt::format("      {0} r{1}[4];\n      load_four<{2}, {0}>(nest.operands[{3}], nest.rank, at[{3}], r{1});\n",
                    arithmetic, i, inputs[i], i + 1);
    four_arguments += fmt::format("{}r{}[k]", comma, i);
    arguments +=
        fmt::format("{}load<{}, {}>(nest.operands[{}].data, at[{}])", comma, inputs[i], arithmetic, i + 1, i + 1);
  }
  Launch launch;
  launch.source = fmt::format(R"(#include "elementwise.cuh"

__device__ inline {0} compute({1}) {{
{2}  return result;
}}

extern "C" __global__ void __launch_bounds__(256) elementwise(const __grid_constant__ Elementwise<{3}> nest) {{
  wait_for_previous();
  for (uint32_t i = blockIdx.x * 256 + threadIdx.x; i < nest.count; i += gridDim.x * 256) {{
    int64_t at[{3}];
    offsets_of(nest, i, at);
    if (nest.lanes == 4) {{
{4}      {0} out[4];
#pragma unroll
      for (int k = 0; k < 4; ++k) out[k] = compute({5});
      store_four<{6}, {0}>(nest.operands[0], at[0], out);
    }} else {{
      store<{6}, {0}>(nest.operands[0].data, at[0], compute({7}));
    }}
  }}
}}
)",
                              arithmetic, parameters, body, inputs.size() + 1, four, four_arguments, output, arguments);
  launch.kernel = "elementwise";
  launch.arguments = {"elementwise"};
  launch.grid = {ceil_div(count, Dim(4 * kBlock)), 1, 1};
  return launch;
}

void copy_elements(StepBuilder& builder, Operand from, Operand to, const std::string& arch) {
  const ViewDesc& view = builder.place(to);
  const std::string word = word_type(view.dtype);
  const Launch launch =
      elementwise_launch(word, {word}, word, "  const auto result = r0;\n", Shape(view.dims).element_count());
  builder.step(StepKind::launch, launch.kernel, launch.attrs(arch), {from}, {to});
}

}  // namespace planish::tactics::cuda
