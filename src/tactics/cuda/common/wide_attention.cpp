#include "tactics/cuda/common/wide_attention.h"

#include "tactics/cuda/common/launch.h"
#include "tactics/cuda/common/source.h"
#include "tactics/cuda/common/tensor_map.h"

namespace planish::tactics::cuda {
namespace {

constexpr int64_t kPanel = 64, kPanelBytes = 128, kWideStages = 2, kWord = 16, kWideThreads = 128;

bool is_multiple(const Dim& value, int64_t of) { return floor_div(value, Dim(of)) * Dim(of) == value; }

// Axes of a matrix operand in map order; -1: there is none.
struct MatrixAxes {
  int element, row, head, batch;
};

MatrixAxes axes_of(const ViewDesc& view, bool transposed) {
  const auto rank = static_cast<int>(view.dims.size());
  const int last = rank - 1, second = rank - 2;
  return {transposed ? second : last, transposed ? last : second, rank - 3, rank - 4};
}

Dim extent_of(const ViewDesc& view, int axis) { return axis < 0 ? Dim(1) : view.dims[static_cast<size_t>(axis)]; }

std::optional<TensorMapFields> matrix_fields(const ViewDesc& view, bool transposed, int64_t operand, int64_t rows) {
  const MatrixAxes axes = axes_of(view, transposed);
  const int64_t size = element_bytes(view.dtype);
  TensorMapFields map;
  map.operand = operand, map.element = tensor_map_element(view.dtype), map.row_bytes = kPanelBytes;
  map.box = {kPanel, rows, 1, 1}, map.steps = {1, 1, 1, 1};
  if (!view.offset.is_constant() || view.offset.value() % kWord != 0) return std::nullopt;
  if (view.strides[static_cast<size_t>(axes.element)] != Dim(1)) return std::nullopt;
  map.dims = {extent_of(view, axes.element)}, map.strides = {size};
  for (int axis : {axes.row, axes.head, axes.batch}) {
    const Dim extent = extent_of(view, axis);
    map.dims.push_back(extent);
    if (extent == Dim(1)) {
      map.strides.push_back(kWord);
      continue;
    }
    const Dim bytes = view.strides[static_cast<size_t>(axis)] * Dim(size);
    if (bytes == Dim(0) || !is_multiple(bytes, kWord)) return std::nullopt;
    map.strides.push_back(bytes);
  }
  return map;
}

std::string source_of(const WideProblem& p, int result_rank, int mask_rank) {
  std::string text = "#include \"view.cuh\"\n#include \"wide_attention.cuh\"\n";
  text +=
      fmt::format("using Chosen = WideAttention<{}, {}, {}>;\n", device_type(p.type), p.masked ? 2 : 0, p.keys_at_once);
  text += fmt::format(
      R"(
extern "C" __global__ void __launch_bounds__(Chosen::kThreads, Chosen::kResident) wide_attention(
    const __grid_constant__ TensorMap q, const __grid_constant__ TensorMap k, const __grid_constant__ TensorMap v,{}
    const __grid_constant__ View y, float scale, int queries, int keys, int hq, int hk, int hv, int bq, int bk, int bv) {{
  const WideShape shape = {{queries, keys, scale, hk, hv, hq, bk, bv, bq, {}, {}}};
  const auto at = [](const AttentionPlace& place) {{ return blockIdx.z * place.batch + blockIdx.y * place.head; }};
  using T = Chosen::Element;
  wide_attention<Chosen>(q, k, v, {}, static_cast<T*>(y.data) + at(shape.result), shape);
}}
)",
      p.masked ? "\n    const __grid_constant__ View m," : "",
      p.rows_first ? attention_place("y", result_rank, 2, 0, 1) : attention_place("y", result_rank, 1, 0, 2),
      p.masked ? attention_place("m", mask_rank, 1, 0, 2) : "{0, 0, 0, 0}",
      p.masked ? "static_cast<const T*>(m.data) + at(shape.mask)" : "nullptr");
  return text;
}

}  // namespace

std::string attention_place(const std::string& view, int rank, int row, int element, int head) {
  const auto stride = [&](int axis) {
    if (axis >= rank) return std::string("0");
    return fmt::format("{0}.dims[{1}] == 1 ? 0 : {0}.strides[{1}]", view, rank - 1 - axis);
  };
  return fmt::format("{{{}, {}, {}, {}}}", stride(3), stride(head), stride(row), stride(element));
}

std::optional<Attrs> wide_attention_attrs(const WideProblem& p, const StepBuilder& builder,
                                          const std::vector<Operand>& inputs, Operand result, const std::string& arch) {
  if (arch != "sm_90a" || p.width != kPanel || p.short_keys) return std::nullopt;
  std::vector<Dim> maps;
  for (size_t i = 0; i < 3; ++i) {
    const auto map =
        matrix_fields(builder.place(inputs[i]), i == 1, static_cast<int64_t>(i), i == 0 ? kWideRows : p.keys_at_once);
    if (!map) return std::nullopt;
    map->append_to(maps);
  }
  const ViewDesc& y = builder.place(result);
  if (y.strides.back() != Dim(1)) return std::nullopt;
  Launch launch;
  launch.kernel = "wide_attention";
  launch.source = source_of(p, static_cast<int>(y.dims.size()),
                            p.masked ? static_cast<int>(builder.place(inputs[3]).dims.size()) : 0);
  launch.arguments = {"map", "map", "map"};
  if (p.masked) launch.arguments.push_back("view:i3");
  launch.arguments.push_back("view:o0");
  launch.real(p.scale);
  launch.integer(p.queries);
  launch.integer(p.keys);
  for (bool batch : {false, true})
    for (size_t i = 0; i < 3; ++i) {
      const ViewDesc& view = builder.place(inputs[i]);
      const MatrixAxes axes = axes_of(view, i == 1);
      launch.integer(extent_of(view, batch ? axes.batch : axes.head) == Dim(1) ? 0 : 1);
    }
  launch.grid = {ceil_div(p.queries, Dim(kWideRows)), p.heads, p.batches};
  launch.block = kWideThreads;
  launch.shared = (kWideRows + kWideStages * 2 * p.keys_at_once) * kPanelBytes + (1 + 2 * kWideStages) * 8;
  Attrs attrs = launch.attrs(arch);
  attrs.set("maps", maps);
  return attrs;
}

}  // namespace planish::tactics::cuda
