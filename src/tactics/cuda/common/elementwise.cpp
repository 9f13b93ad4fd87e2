#include "tactics/cuda/common/elementwise.h"

#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {

static constexpr int64_t kResident = 132 * 8;

Launch elementwise_launch(const std::string& arithmetic, const std::vector<std::string>& inputs,
                          const std::string& output, const std::string& body, Dim count) {
  // Of large tensors a thread moves several groups at once, far apart: memory wants many reads under way.
  const int together = inputs.size() <= 2 ? 4 : inputs.size() <= 4 ? 2 : 1;
  std::string parameters, registers, loads, arguments;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const char* const comma = i == 0 ? "" : ", ";
    parameters += fmt::format("{}{} r{}", comma, arithmetic, i);
    registers += fmt::format("  {} r{}[TOGETHER][WIDTH];\n", arithmetic, i);
    loads += fmt::format("    load_group<{}>(nest.operands[{}], nest.rank, at[u][{}], r{}[u]);\n", inputs[i], i + 1,
                         i + 1, i);
    arguments += fmt::format("{}r{}[u][k]", comma, i);
  }
  Launch launch;
  launch.source =
      fmt::format(R"({primitives}#include "elementwise.cuh"

__device__ inline {real} compute({parameters}) {{
{body}  return result;
}}

template <int WIDTH, int TOGETHER>
__device__ inline void groups(const Elementwise<{operands}>& nest, uint32_t first, uint32_t step) {{
  uint32_t flat[TOGETHER];
  int64_t at[TOGETHER][{operands}];
#pragma unroll
  for (int u = 0; u < TOGETHER; ++u) flat[u] = min(first + u * step, nest.count - 1);
  offsets_of(nest, flat, at);
{registers}#pragma unroll
  for (int u = 0; u < TOGETHER; ++u) {{
{loads}  }}
#pragma unroll
  for (int u = 0; u < TOGETHER; ++u) {{
    if (u * step >= nest.count - first) break;
    {real} out[WIDTH];
#pragma unroll
    for (int k = 0; k < WIDTH; ++k) out[k] = compute({arguments});
    store_group<{output}>(nest.operands[0], at[u][0], out);
  }}
}}

extern "C" __global__ void __launch_bounds__(256) elementwise(const __grid_constant__ Elementwise<{operands}> nest) {{
  wait_for_previous();
  const uint32_t step = gridDim.x * 256;
  for (uint32_t i = blockIdx.x * 256 + threadIdx.x; i < nest.count; i += {together} * step) {{
    const bool one = nest.count - i <= step;
    if (nest.lanes == 4) {{
      if (one)
        groups<4, 1>(nest, i, step);
      else
        groups<4, {together}>(nest, i, step);
    }} else if (one) {{
      groups<1, 1>(nest, i, step);
    }} else {{
      groups<1, {together}>(nest, i, step);
    }}
  }}
}}
)",
                  fmt::arg("primitives", with_primitives(output)), fmt::arg("real", arithmetic),
                  fmt::arg("parameters", parameters), fmt::arg("body", body), fmt::arg("operands", inputs.size() + 1),
                  fmt::arg("together", together), fmt::arg("registers", registers), fmt::arg("loads", loads),
                  fmt::arg("arguments", arguments), fmt::arg("output", output));
  launch.kernel = "elementwise";
  launch.arguments = {"elementwise"};
  // As many blocks as are resident at once have a group a thread, beyond that threads have more.
  launch.grid = {
      min(ceil_div(count, Dim(4 * kBlock)), max(Dim(kResident), ceil_div(count, Dim(4 * together * kBlock)))), 1, 1};
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
