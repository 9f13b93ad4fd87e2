// Kernels that move elements of any type: gathers, pad, tile, depth_to_space.

#include "tactics/cpu/common/direct.h"
#include "tactics/cpu/common/packing.h"

namespace planish::tactics::cpu {
namespace {

void propose_gather(const TacticQuery& query, CandidateSink& sink) {
  const std::string op = query.node.op.str();
  if (std::string why = refuse_dtype(query, 1, {DataType::i32, DataType::i64}); !why.empty())
    return sink.refuse(op, std::move(why));
  if (query.output(0).type.shape.rank() > kMaxRank) return sink.refuse(op, "the result's rank");
  DirectKernel direct{.kernel = op};
  // What is not indexed is not read.
  const Value& result = query.output(0);
  direct.bytes =
      typical_elements(query, result.type.shape) * 2 * static_cast<double>(element_bytes(result.type.dtype)) +
      typical_elements(query, query.input(1).type.shape) *
          static_cast<double>(element_bytes(query.input(1).type.dtype));
  offer_direct(query, sink, direct);
}

void propose_move(const TacticQuery& query, CandidateSink& sink) {
  const std::string op = query.node.op.str();
  offer_direct(query, sink, {.kernel = op});
  if (op != "depth_to_space" && op != "space_to_depth") return;
  sink.candidates.back().half_inputs = 1;
  sink.candidates.back().half_output = sink.candidates.back().half_alike = true;
}

void propose_tile(const TacticQuery& query, CandidateSink& sink) {
  if (query.output(0).type.shape.rank() > kMaxRank / 2) return sink.refuse("tile", "more than five axes");
  propose_move(query, sink);
}

}  // namespace

void register_move(TacticTable& table) {
  for (const char* op : {"gather", "gather_elements", "gather_nd"}) table.add(op, propose_gather);
  for (const char* op : {"pad", "depth_to_space", "space_to_depth"}) table.add(op, propose_move);
  table.add("tile", propose_tile);
}

}  // namespace planish::tactics::cpu
