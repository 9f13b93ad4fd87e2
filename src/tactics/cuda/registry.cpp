#include "base/registry.h"
#include "tactics/tactic.h"

namespace planish {

namespace tactics::cuda {
#define PLANISH_ROW(stem) void register_##stem(TacticTable&);
#include "gen/tactics_cuda.inc"
#undef PLANISH_ROW
}  // namespace tactics::cuda

const TacticTable& cuda_tactics() {
#define PLANISH_ROW(stem) tactics::cuda::register_##stem,
  static const TacticTable table = filled<TacticTable>({
#include "gen/tactics_cuda.inc"
  });
#undef PLANISH_ROW
  return table;
}

}  // namespace planish
