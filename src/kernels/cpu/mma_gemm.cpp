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

MmaPlaces places_of_matrix(const KernelArgs& args) {
  const TensorView& a = args.inputs[0];
  const int64_t depth = a.dims[static_cast<size_t>(a.rank - 1)], rows = depth == 0 ? 0 : a.element_count() / depth;
  MmaPlaces places = mma_places(args.as<MmaParams>(), 1, depth, rows);
  close_places(places, 0);
  return places;
}

int64_t mma_gemm_workspace(const KernelArgs& args) {
  return mma_workspace(args.as<MmaParams>(), places_of_matrix(args));
}

void run_mma_gemm(const KernelArgs& args) {
  const TensorView &a = args.inputs[0], &y = args.outputs[0];
  if (y.element_count() == 0) return;
  const int last = a.rank - 1;
  MmaProduct p = make_mma_product(args, y.rank - 1, places_of_matrix(args));
  const RowStrides strides = without_axis(a.strides, a.rank, last);
  const int64_t step = a.strides[static_cast<size_t>(last)];
  const MmaOperand operand = mma_operand(p.end.rows, a, a.strides, a.rank, last);
  take_in_place(p, operand);
  with_mma_rows(p, a.dtype, [&](const auto& store) {
    using T = typename std::decay_t<decltype(store)>::Value;
    run_mma(p, *args.pool, [&](int64_t, int64_t begin, int64_t end) {
      if (put_evenly<std::decay_t<decltype(store)>>(p, operand, begin, end)) return;
      RowWalk walk = p.end.rows;
      walk.seek(begin);
      int32_t* words = p.words + begin * p.places.pitch;
      for (int64_t row = begin; row < end; ++row, walk.next(), words += p.places.pitch) {
        clear_padding(p, words);
        store.put(words, 0, a.as<const T>() + walk.offset(strides), step, p.places.values);
      }
    });
  });
}

}  // namespace

void register_mma_gemm(KernelTable& table) {
  table.add(make_mma_kernel("mma_gemm", check_mma_gemm, run_mma_gemm, mma_gemm_workspace));
}

}  // namespace planish::kernels::cpu::PLANISH_ISA
