// Products of a few rows and constant weights: what follows a pooling over all positions, heads at batch 1.

#include <cmath>
#include <cstring>

#include "kernels/reference/conv.h"
#include "tactics/cuda/common/rows.h"
#include "tactics/cuda/common/source.h"
#include "tactics/cuda/common/tensor_product.h"

namespace planish::tactics::cuda {
namespace {

constexpr int64_t kMostFewRows = 256, kFewAtOnce = 4, kFewWarps = 4;
constexpr double kFewBytesPerUs = 3e6, kFewPassUs = 0.35;  // a pass: 1024 elements of depth

std::string read_few(const TacticQuery& query, TensorProduct& p) {
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return "what follows it is not one epilogue";
  if (form->anchor->op == "matmul") {
    if (std::string why = read_matrix(query, p); !why.empty()) return why;
  } else {
    int64_t group = 1;
    if (std::string why = read_windows(query, *form, group, p); !why.empty()) return why;
    if (group != 1 || p.image) return "windows of more than one pixel";
  }
  if (p.type != DataType::f16 && p.type != DataType::bf16)
    return fmt::format("elements are {}", data_type_name(p.type));
  if (p.weights.dtype() != p.type) return fmt::format("weights are {}", data_type_name(p.weights.dtype()));
  if (p.result != p.type && p.result != DataType::f32) return fmt::format("results are {}", data_type_name(p.result));
  const double rows = typical_elements(query, Shape({p.rows}));
  if (rows > kMostFewRows) return fmt::format("{:.0f} rows, {} are accepted", rows, kMostFewRows);
  return p.rows.upper_bound(query.graph.symbols) > 65535 * kFewAtOnce ? "too many rows" : "";
}

// [columns][channels up to a multiple of eight]
Tensor pack_few(const TensorProduct& p) {
  const int64_t padded = (p.channels + 7) / 8 * 8;
  const auto* const from = reinterpret_cast<const uint16_t*>(p.weights.data());
  return Tensor::make(p.type, {p.columns, padded}, [&](std::byte* memory) {
    auto* to = reinterpret_cast<uint16_t*>(memory);
    std::memset(memory, 0, static_cast<size_t>(p.columns * padded * 2));
    for (int64_t n = 0; n < p.columns; ++n)
      for (int64_t c = 0; c < p.channels; ++c) to[n * padded + c] = from[n * p.column_step + c * p.channel_step];
  });
}

Attrs launch_attrs(const TensorProduct& p, int64_t at_once, int64_t pitch, bool vector, int64_t result_pitch,
                   int64_t residual_pitch, const std::string& arch) {
  Launch launch;
  launch.kernel = "few_rows";
  launch.source = program_text(p);
  launch.source += fmt::format("#include \"few_rows.cuh\"\nusing Chosen = FewRows<{}, {}, {}, {}>;\n",
                               device_type(p.type), device_type(p.result), at_once, vector);
  launch.source += "PLANISH_FEW_ROWS(few_rows, Chosen, Program)\n";
  launch.arguments = {"pointer:i0", "pointer:i1", "pointer:i2", "pointer:o0", p.residual ? "pointer:i3" : "pointer:o0"};
  for (const Dim& value : {p.rows, Dim(p.columns), Dim(p.channels), Dim(pitch), Dim(result_pitch), Dim(residual_pitch)})
    launch.integer(value);
  launch.grid = {(p.columns + kFewWarps - 1) / kFewWarps, ceil_div(p.rows, Dim(at_once)), 1};
  launch.block = 32 * kFewWarps;
  return launch.attrs(arch);
}

void propose_few_rows(const TacticQuery& query, CandidateSink& sink) {
  auto product = std::make_shared<TensorProduct>();
  if (std::string why = read_few(query, *product); !why.empty()) return sink.refuse("cuda.few_rows", std::move(why));
  const double rows = typical_elements(query, Shape({product->rows}));
  int64_t at_once = 1;
  while (at_once < kFewAtOnce && static_cast<double>(at_once) < rows) at_once *= 2;
  const double passes = std::ceil(static_cast<double>(product->channels) / 1024) * static_cast<double>(at_once);
  Candidate candidate;
  candidate.space = MemorySpace::device;
  candidate.name = "cuda.few_rows";
  candidate.inputs = product->inputs;
  candidate.outputs = {product->output};
  candidate.strided_inputs = candidate.strided_output = product->output == LayoutRule::channels_last;
  candidate.estimated_us =
      1.5 + passes * kFewPassUs +
      static_cast<double>(product->columns * product->channels) * 2 * std::ceil(rows / kFewAtOnce) / kFewBytesPerUs;
  candidate.emit = [product, at_once, arch = query.cuda](StepBuilder& builder) {
    const TensorProduct& p = *product;
    std::vector<Operand> inputs = {rows_input(builder, p.operand, p.inputs[p.operand], 1, arch),
                                   builder.constant(pack_few(p)), builder.constant(bias_of(p))};
    const ViewDesc x = builder.place(inputs[0]);
    const int axis = adjacent_axis(p.output, x.dims.size());
    const bool vector = p.channels % 8 == 0 && row_pitch(x, axis, 16) != 0;
    if (p.residual) inputs.push_back(rows_input(builder, *p.residual, p.inputs[*p.residual], 1, arch));
    RowsOutput result(builder, p.output, 1, arch);
    int64_t residual = result.pitch();
    if (p.residual) {
      const ViewDesc& r = builder.place(inputs[3]);
      residual = row_pitch(r, adjacent_axis(p.output, r.dims.size()), 1);
    }
    builder.step(StepKind::launch, "few_rows",
                 launch_attrs(p, at_once, row_pitch(x, axis, 1), vector, result.pitch(), residual, arch),
                 std::move(inputs), {result.operand()});
    result.finish();
  };
  sink.offer(std::move(candidate));
}

}  // namespace

void register_few_rows(TacticTable& table) {
  table.add("conv", propose_few_rows);
  table.add("matmul", propose_few_rows);
}

}  // namespace planish::tactics::cuda
