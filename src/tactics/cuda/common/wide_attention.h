#pragma once
// Attention by warpgroups (kernels/cuda/wide_attention.cuh).

#include <optional>
#include <string>
#include <vector>

#include "tactics/tactic.h"

namespace planish::tactics::cuda {

constexpr int64_t kWideRows = 64;  // queries of a block

struct WideProblem {
  DataType type;
  int64_t width;
  bool masked, rows_first;
  Dim heads, batches, queries, keys;
  double scale;
  bool short_keys = false;     // too few to fill a block
  int64_t keys_at_once = 128;  // or 64
};

// Where the axes of a view lie, as an initialiser of AttentionPlace: axes counted from the last one, 0 for it.
std::string attention_place(const std::string& view, int rank, int row, int element, int head);

// Of a step over query, key [.., width, keys], value and a mask where there is one. Nothing where the architecture, the
// width or the operands' places do not let bulk copies read them.
std::optional<Attrs> wide_attention_attrs(const WideProblem& problem, const StepBuilder& builder,
                                          const std::vector<Operand>& inputs, Operand result, const std::string& arch);

}  // namespace planish::tactics::cuda
