#pragma once
// The nodes behind Dim, hash-consed: one node a canonical expression. For the files dim*.cpp alone.

#include <string>
#include <vector>

#include "tensor/dim.h"

namespace planish {

// Canonical forms:
//   add       children are terms in order, a constant last; a term is an atom or a mul
//   mul       a constant coefficient first (absent when 1), then atoms in order
//   min, max  two or more children in order, none of them of the same operation, none implied by another
// Order is by printed text, which does not depend on addresses.
struct DimNode {
  DimOp op = DimOp::constant;
  int64_t value = 0;
  std::string name;
  std::vector<const DimNode*> children;
  std::string text;
  int depth = 0;  // of functions in one another
  uint64_t hash = 0;

  static Dim wrap(const DimNode* node) { return Dim(node); }
  static const DimNode* of(Dim dim) { return dim.node_; }
};

namespace dims {

using Node = const DimNode*;

// Beyond these an expression is refused with Error(unsupported): a model made for it could otherwise grow one
// without end.
constexpr int kDeepest = 100;
constexpr size_t kLongestText = 1 << 16;
constexpr size_t kMostTerms = 2048;

// The one node of this content; `text` identifies it.
Node intern(DimNode node);
Node make_constant(int64_t value);

inline bool by_text(Node a, Node b) { return a->text < b->text; }

std::string_view function_name(DimOp op);    // of floor_div, ceil_div, mod, min, max
Dim combine(DimOp op, Dim a, Dim b);         // any operation of two operands
int64_t floor_divide(int64_t a, int64_t b);  // Error(invalid_argument) for b = 0 or an overflow
int64_t ceil_divide(int64_t a, int64_t b);
int64_t modulo(int64_t a, int64_t b);  // in [0, b) for positive b

}  // namespace dims
}  // namespace planish
