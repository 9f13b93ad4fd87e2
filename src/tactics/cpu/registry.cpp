#include "tactics/tactic.h"

namespace planish {

namespace tactics::cpu {
#define PLANISH_ROW(stem) void register_##stem(TacticTable&);
#include "gen/tactics_cpu.inc"
#undef PLANISH_ROW
}  // namespace tactics::cpu

const TacticTable& cpu_tactics() {
  static const TacticTable table = [] {
    TacticTable table;
#define PLANISH_ROW(stem) tactics::cpu::register_##stem(table);
#include "gen/tactics_cpu.inc"
#undef PLANISH_ROW
    return table;
  }();
  return table;
}

}  // namespace planish
