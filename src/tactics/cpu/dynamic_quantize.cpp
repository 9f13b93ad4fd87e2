#include "tactics/cpu/common/direct.h"

namespace planish::tactics::cpu {
namespace {

void propose_dynamic_quantize(const TacticQuery& query, CandidateSink& sink) {
  offer_direct(
      query, sink,
      {.kernel = "dynamic_quantize_linear", .inputs = LayoutRule::row_major, .outputs = LayoutRule::row_major});
}

}  // namespace

void register_dynamic_quantize(TacticTable& table) { table.add("dynamic_quantize_linear", propose_dynamic_quantize); }

}  // namespace planish::tactics::cpu
