// Casts between the element types that models compute with.

#include <algorithm>

#include "tactics/cpu/common/direct.h"

namespace planish::tactics::cpu {
namespace {

void propose_cast(const TacticQuery& query, CandidateSink& sink) {
  const auto known = {DataType::f32, DataType::i64,     DataType::i32, DataType::i8,
                      DataType::u8,  DataType::boolean, DataType::f16, DataType::bf16};
  const DataType to = query.output(0).type.dtype;
  if (std::string why = refuse_dtype(query, 0, known); !why.empty()) return sink.refuse("cast", std::move(why));
  if (std::find(known.begin(), known.end(), to) == known.end())
    return sink.refuse("cast", "the result is " + query.output(0).type.str());
  const DataType from = query.input(0).type.dtype;
  if (to == DataType::bf16 && (from == DataType::i32 || from == DataType::i64))
    return sink.refuse("cast", "wide integers would be rounded twice on the way to bf16");
  offer_direct(query, sink, {.kernel = "cast"});
}

}  // namespace

void register_cast(TacticTable& table) { table.add("cast", propose_cast); }

}  // namespace planish::tactics::cpu
