// Matrix product of reduced precision with packed weights: A [.., M, K] x B [K, N].

#include "kernels/cpu/common/mma_kernel.h"

namespace planish::kernels::cpu::PLANISH_ISA {
namespace {

// A [.., M, K] -> Y [.., M, N], columns adjacent
void check_mma_gemm(const KernelArgs& args) {
  const MmaAttrs& gemm = args.as<MmaParams>().attrs;
  const Operands o(args, 3, args.inputs.size());
  const Slot a = o.in(0).rank(2, kMaxRank);
  require(gemm.group == 1, "a matrix product of {} groups", gemm.group);
  std::vector<int64_t> dims(a.extents().begin(), a.extents().end());
  dims.back() = gemm.columns;
  o.out().shape(dims);
  check_mma(args, -1, 1, a.extent(-1));
}

template <class T>
struct MatrixRows {
  const T* data;
  RowStrides rows;
  int64_t step, values;
  template <class Writer>
  void operator()(int64_t, const RowWalk& walk, Writer write) const {
    write(data + walk.offset(rows), step, values);
  }
};

void run_mma_gemm(const KernelArgs& args) {
  const TensorView &a = args.inputs[0], &y = args.outputs[0];
  if (y.element_count() == 0) return;
  const int last = a.rank - 1;
  const MmaProduct p = make_mma_product(args, y.rank - 1, a.dims[static_cast<size_t>(last)]);
  with_mma_rows(p, a.dtype, [&](const auto& store) {
    using T = typename std::decay_t<decltype(store)>::Value;
    const MatrixRows<T> rows{a.as<const T>(), without_axis(a.strides, a.rank, last),
                             a.strides[static_cast<size_t>(last)], p.values};
    run_mma_product(p, *args.pool, store, rows);
  });
}

}  // namespace

void register_mma_gemm(KernelTable& table) { table.add(make_mma_kernel("mma_gemm", check_mma_gemm, run_mma_gemm)); }

}  // namespace planish::kernels::cpu::PLANISH_ISA
