// Matrix product with packed weights, stored in f32 or 16 bits: A [.., M, K] x B [K, N].

#include "base/checked.h"
#include "kernels/cpu/common/product.h"
#include "tensor/copy.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

// A [.., M, K], packed B, bias?, extras -> Y [.., M, N], columns adjacent
void check_gemm(const KernelArgs& args) {
  const GemmAttrs& gemm = args.as<GemmParams>().attrs;
  check_product(args, -1);
  const Operands o(args, 2, args.inputs.size());
  const Slot a = o.in(0).rank(2, kMaxRank);
  require(gemm.group == 1, "a matrix product of {} groups", gemm.group);
  check_slots(gemm);
  check_panels(o.in(1).is({DataType::f32, DataType::f16, DataType::bf16}), 1, gemm.columns, 1, a.extent(-1));
  std::vector<int64_t> dims(a.extents().begin(), a.extents().end());
  dims.back() = gemm.columns;
  o.out().shape(dims);
}

// f32 unless it is said.
void set_storage(DataType stored, Product& p) {
  if (stored == DataType::f16) p.tile = tile_function<Half>;
  if (stored == DataType::bf16) p.tile = tile_function<BFloat16>;
  p.weight_bytes = element_bytes(stored);
}

// Floats of the operand where it is gathered, in front of the packed rows.
int64_t gathered_floats(const TensorView& a, const GemmAttrs& gemm) {
  if (!is_gathered(a)) return 0;
  return gemm.slots == 0 ? a.element_count() : round_to_lines(a.element_count());
}

void run_gemm(const KernelArgs& args) {
  const auto& params = args.as<GemmParams>();
  const TensorView &a = args.inputs[0], &y = args.outputs[0];
  if (y.element_count() == 0) return;
  const int last = y.rank - 1, a_last = a.rank - 1;
  Product p;
  p.rows = rows_of(y, last);
  p.row_count = p.rows.count();
  p.columns = params.attrs.columns;
  p.channels = a.dims[static_cast<size_t>(a_last)];
  p.weights = args.inputs[1].data;
  set_storage(args.inputs[1].dtype, p);
  p.bias = params.attrs.has_bias != 0 ? args.inputs[2].as<const float>() : nullptr;
  p.row_blocks = params.attrs.row_blocks;
  p.epilogue = make_epilogue(args, last);
  TensorView rows = a;
  if (is_gathered(a)) {
    rows = make_view(args.workspace, DataType::f32, a.extents());
    copy_view(a, rows, *args.pool);
  }
  pack_into(args.workspace + gathered_floats(a, params.attrs) * 4, p);
  const DenseRows source{{rows.as<const float>(), without_axis(rows.strides, rows.rank, a_last), 1}};
  run_product(p, *args.pool, kMostBlocks, [&] { return source; });
}

int64_t gemm_workspace(const KernelArgs& args) {
  const TensorView& a = args.inputs[0];
  const int64_t depth = a.dims[static_cast<size_t>(a.rank - 1)], rows = depth == 0 ? 0 : a.element_count() / depth;
  const GemmAttrs& gemm = args.as<GemmParams>().attrs;
  return checked_add(checked_mul(gathered_floats(a, gemm), 4), packed_bytes(gemm, rows, depth));
}

}  // namespace

void register_gemm(KernelTable& table) { table.add(make_gemm_kernel("gemm", check_gemm, run_gemm, gemm_workspace)); }

}  // namespace planish::kernels::cpu::PLANISH_ISA
