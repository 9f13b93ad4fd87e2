// quantize_linear and dequantize_linear between fp32 and integers, any strides.

#include <algorithm>

#include "tactics/cpu/common/direct.h"

namespace planish::tactics::cpu {
namespace {

constexpr auto kQuantized = {DataType::u8, DataType::i8, DataType::u16, DataType::i16};

bool has_blocks(const TacticQuery& query) { return query.node.attrs.get_or<int64_t>("block_size", 0) != 0; }

std::string refuse_result(const TacticQuery& query, std::initializer_list<DataType> accepted) {
  const DataType found = query.output(0).type.dtype;
  return std::find(accepted.begin(), accepted.end(), found) != accepted.end()
             ? ""
             : "the result is " + query.output(0).type.str();
}

void propose_quantize(const TacticQuery& query, CandidateSink& sink) {
  for (size_t i : {0, 1})
    if (std::string why = refuse_dtype(query, i, {DataType::f32}); !why.empty())
      return sink.refuse("quantize_linear", std::move(why));
  if (std::string why = refuse_result(query, kQuantized); !why.empty())
    return sink.refuse("quantize_linear", std::move(why));
  if (has_blocks(query)) return sink.refuse("quantize_linear", "scales are a block's");
  offer_direct(query, sink, {.kernel = "quantize_linear"});
}

void propose_dequantize(const TacticQuery& query, CandidateSink& sink) {
  if (query.node.op == "fused") return;
  const auto integers = {DataType::u8, DataType::i8, DataType::u16, DataType::i16, DataType::i32};
  for (size_t i : {0, 2})
    if (std::string why = refuse_dtype(query, i, integers); !why.empty())
      return sink.refuse("dequantize_linear", std::move(why));
  if (std::string why = refuse_dtype(query, 1, {DataType::f32}); !why.empty())
    return sink.refuse("dequantize_linear", std::move(why));
  if (std::string why = refuse_result(query, {DataType::f32}); !why.empty())
    return sink.refuse("dequantize_linear", std::move(why));
  if (has_blocks(query)) return sink.refuse("dequantize_linear", "scales are a block's");
  offer_direct(query, sink, {.kernel = "dequantize_linear"});
}

}  // namespace

void register_quantize(TacticTable& table) {
  table.add("quantize_linear", propose_quantize);
  table.add("dequantize_linear", propose_dequantize);
}

}  // namespace planish::tactics::cpu
