// Attention of 16-bit operands of any strides on tensor cores.

#include "kernels/reference/attention.h"

#include "tactics/cuda/common/launch.h"
#include "tactics/cuda/common/source.h"
#include "tactics/cuda/common/wide_attention.h"

namespace planish::tactics::cuda {
namespace {

constexpr double kTera = 150;
constexpr int64_t kMostHead = 128, kMostGrid = 65535, kLongHead = 128, kManyQueries = 1024;
constexpr double kFewKeys = 64, kManyBlocks = 132 * 3;

int64_t warps_of(const TacticQuery& query, int64_t head) {
  const Shape& q = query.input(0).type.shape;
  const int64_t queries = query.typical(q)[static_cast<size_t>(q.rank() - 2)];
  return head >= kLongHead && queries >= kManyQueries ? 8 : 4;
}

std::string source_of(const TacticQuery& query, int64_t head, int64_t width, int masks, bool rows_first) {
  const auto rank = [&](size_t i) { return query.input(i).type.shape.rank(); };
  const int keys = rank(1) - 1, out = query.output(0).type.shape.rank();
  std::string text = "#include \"view.cuh\"\n#include \"flash_attention.cuh\"\n";
  text += fmt::format("using Chosen = Attention<{}, {}, {}, {}>;\n", device_type(query.input(0).type.dtype), head,
                      warps_of(query, head), masks == 0 ? 0 : masks + 1);
  text += "using T = const Chosen::Element*;\n";
  text += "extern \"C\" __global__ void __launch_bounds__(Chosen::kThreads) tensor_attention(\n";
  text += "    const __grid_constant__ View q, const __grid_constant__ View k, const __grid_constant__ View v,\n";
  for (int i = 0; i < masks; ++i) text += fmt::format("    const __grid_constant__ View m{},\n", i);
  text += "    const __grid_constant__ View y, float scale) {\n";
  text += fmt::format(
      "  const AttentionShape shape = {{static_cast<int>(q.dims[{}]), static_cast<int>(k.dims[{}]), {}, 1, 0, scale,\n",
      rank(0) - 2, keys, width);
  text +=
      fmt::format("    {},\n    {},\n    {},\n    {},\n    {},\n    {}}};\n", attention_place("q", rank(0), 1, 0, 2),
                  attention_place("k", rank(1), 0, 1, 2), attention_place("v", rank(2), 1, 0, 2),
                  rows_first ? attention_place("y", out, 2, 0, 1) : attention_place("y", out, 1, 0, 2),
                  masks > 0 ? attention_place("m0", rank(3), 1, 0, 2) : "{0, 0, 0, 0}",
                  masks > 1 ? attention_place("m1", rank(4), 1, 0, 2) : "{0, 0, 0, 0}");
  text += fmt::format(
      "  attention<Chosen>(static_cast<T>(q.data), static_cast<T>(k.data), static_cast<T>(v.data), {}, "
      "static_cast<Chosen::Element*>(y.data), shape{});\n}}\n",
      masks > 0 ? "static_cast<T>(m0.data)" : "nullptr", masks > 1 ? ", static_cast<T>(m1.data)" : "");
  return text;
}

std::string refuse_tensor_attention(const TacticQuery& query) {
  if (query.node.op == "fused") return "an epilogue";
  const DataType type = query.input(0).type.dtype;
  if (type != DataType::f16 && type != DataType::bf16) return fmt::format("elements are {}", data_type_name(type));
  for (size_t i = 0; i < query.node.inputs.size(); ++i)
    if (query.has_input(i) && query.input(i).type.shape.rank() > 4)
      return "more than two axes in front of the matrices";
  const Shape &q = query.input(0).type.shape, &v = query.input(2).type.shape;
  const Dim width = q[q.rank() - 1];
  if (!width.is_constant() || width != v[v.rank() - 1]) return "heads of different or unknown widths";
  if (width.value() % 8 != 0 || width.value() > kMostHead)
    return fmt::format("heads of {} elements, a multiple of 8 up to {} is accepted", width.value(), kMostHead);
  return "";
}

// By warpgroups where operands lie so that bulk copies read them.
Candidate attention_candidate(const TacticQuery& query, const Launch& launch, const WideProblem& problem, int masks,
                              int64_t warps, int64_t head, double us) {
  Candidate candidate;
  candidate.space = MemorySpace::device;
  candidate.name = "cuda.tensor_attention";
  candidate.inputs.assign(query.node.inputs.size(), LayoutRule::any);
  candidate.outputs = {LayoutRule::row_major};
  candidate.estimated_us = us;
  candidate.emit = [=, arch = query.cuda](StepBuilder& builder) {
    std::vector<Operand> inputs = {builder.input(0), builder.input(1), builder.input(2)};
    for (int i = 0; i < masks; ++i) inputs.push_back(builder.input(3 + static_cast<size_t>(i)));
    const Operand result = builder.output(0);
    if (const auto wide = masks > 1 ? std::nullopt : wide_attention_attrs(problem, builder, inputs, result, arch))
      return builder.step(StepKind::launch, "wide_attention", *wide, std::move(inputs), {result});
    Attrs step = launch.attrs(arch);
    step.set("block", std::vector<int64_t>{32 * warps, 1, 1});
    step.set("shared", (16 * warps + 4 * 64) * (head * 2 + 16));
    step.set("overlap", int64_t{1});
    builder.step(StepKind::launch, launch.kernel, std::move(step), std::move(inputs), {result});
  };
  return candidate;
}

void propose_tensor_attention(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.tensor_attention", std::move(why)); };
  if (std::string why = refuse_tensor_attention(query); !why.empty()) return refuse(std::move(why));
  const auto attrs = attrs_to<AttentionAttrs>(query.node.attrs);
  const Shape &q = query.input(0).type.shape, &k = query.input(1).type.shape, &y = query.output(0).type.shape;
  const bool rows_first = attrs.rows_first != 0;
  const int masks = query.has_input(4) ? 2 : query.has_input(3) ? 1 : 0;
  const int64_t width = q[q.rank() - 1].value(), head = (width + 31) / 32 * 32;
  const Dim heads = y.rank() < 3 ? Dim(1) : rows_first ? y[y.rank() - 2] : y[y.rank() - 3];
  const Dim batches = y.rank() < 4 ? Dim(1) : y[0], queries = q[q.rank() - 2];
  if (heads.upper_bound(query.graph.symbols) > kMostGrid || batches.upper_bound(query.graph.symbols) > kMostGrid)
    return refuse("too many heads");
  if (k[k.rank() - 1].lower_bound(query.graph.symbols) < 1) return refuse("there may be no keys");
  Launch launch;
  launch.kernel = "tensor_attention";
  launch.source = source_of(query, head, width, masks, rows_first);
  const int64_t warps = warps_of(query, head);
  launch.arguments = {"view:i0", "view:i1", "view:i2"};
  for (int i = 0; i < masks; ++i) launch.arguments.push_back(fmt::format("view:i{}", 3 + i));
  launch.arguments.push_back("view:o0");
  launch.real(attrs.scale);
  launch.grid = {ceil_div(queries, Dim(16 * warps)), heads, batches};
  WideProblem problem{query.input(0).type.dtype, width,      masks > 0, rows_first, heads, batches, queries,
                      k[k.rank() - 1],           attrs.scale};
  problem.short_keys = query.typical(k).back() < kFewKeys;
  double flops = 4 * typical_elements(query, y) * static_cast<double>(query.typical(k).back());
  if (typical_elements(query, Shape(launch.grid)) >= kManyBlocks) problem.keys_at_once = 64;
  sink.offer(attention_candidate(query, launch, problem, masks, warps, head, estimate_us(query, flops, kTera)));
}

}  // namespace

void register_tensor_attention(TacticTable& table) { table.add("attention", propose_tensor_attention); }

}  // namespace planish::tactics::cuda
