#include "passes/passes.h"

namespace planish::passes {

std::vector<Pass> all() {
  return {
#define PLANISH_ROW(name) name(),
#include "gen/passes.inc"
#undef PLANISH_ROW
  };
}

}  // namespace planish::passes
