#pragma once
// What products of integers ask of their operands.

#include "ops/op.h"

namespace planish::ops {

// x, w, x's zero point?, w's zero point?: bytes; zero points of their operand's type: one, a row, or what spreads over
// the operand.
inline void check_centred_bytes(const InferContext& context) {
  for (size_t i : {0, 1}) {
    const DataType found = context.dtype(i);
    if (found != DataType::u8 && found != DataType::i8)
      fail(Code::invalid_model, "{} is {}; u8 and i8 are accepted", context.operand(i), context.input(i).str());
    if (!context.has_input(i + 2)) continue;
    context.require_same_dtype(i, i + 2);
    if (context.rank(i + 2) > 1) context.require_broadcasts_to(i + 2, context.shape(i));
  }
}

}  // namespace planish::ops
