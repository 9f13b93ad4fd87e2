#include "base/registry.h"
#include "tactics/tactic.h"

namespace planish {

namespace tactics::cpu {
#define PLANISH_ROW(stem) void register_##stem(TacticTable&);
#include "gen/tactics_cpu.inc"
#undef PLANISH_ROW
}  // namespace tactics::cpu

const TacticTable& cpu_tactics() {
#define PLANISH_ROW(stem) tactics::cpu::register_##stem,
  static const TacticTable table = filled<TacticTable>({
#include "gen/tactics_cpu.inc"
  });
#undef PLANISH_ROW
  return table;
}

}  // namespace planish
