#pragma once
// OpDef: what an operator means, without saying how it is computed.
//
// Naming: the operators are those of ONNX at opset 23 in snake_case (`conv_transpose`, `reduce_mean`,
// `scatter_nd`; exceptions: matmul, prelu, topk, silu), with the same operands, attributes and defaults of that
// opset; importers bring older forms to it. Additions: `dims` (ops/shape.cpp), `fused` (ops/control.cpp), `custom`, and
// `attention`, which is the core of the operator of that name alone.
// A file ops/conv.cpp defines `void register_conv(OpTable&)`; the build writes the call.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "kernels/pointwise.h"
#include "tensor/attrs.h"

namespace planish {

// An extent that only running the plan tells, of which nothing else is known.
constexpr SymbolInfo kMeasuredSymbol{SymbolKind::step, {0, 64, INT32_MAX}};

// Kinds of element types, as flags. kIndices: i32 and i64. kNarrow: types that are stored but not computed with, which
// no other flag permits; kComputed: all others.
enum TypeKinds : unsigned {
  kFloats = 1,
  kIntegers = 2,
  kBooleans = 4,
  kIndices = 8,
  kNarrow = 16,
  kNumbers = 3,
  kComputed = 7,
  kAnyType = 23
};

// What an operator's inference sees, and where it leaves its results.
class InferContext {
 public:
  InferContext(Graph& graph, const Node& node);

  size_t input_count() const { return node_.inputs.size(); }
  bool has_input(size_t i) const { return i < node_.inputs.size() && node_.inputs[i].valid(); }
  const TensorType& input(size_t i) const;  // Error(invalid_model) "operand 'name' is missing"
  const Shape& shape(size_t i) const { return input(i).shape; }
  int rank(size_t i) const { return shape(i).rank(); }
  DataType dtype(size_t i) const { return input(i).dtype; }
  // The constant itself, or nothing.
  std::optional<Tensor> constant(size_t i) const;
  // Elements of a 1-D or scalar integer operand as expressions (constants included), or nothing.
  std::optional<std::vector<Dim>> contents(size_t i) const;
  // Elements of a required integer operand of rank 0 or 1; Error(unsupported) when they are computed from data.
  std::vector<Dim> list(size_t i) const;
  // Elements of such an operand that is computed from data: those that are known all the same, as in [1, 3, h, w] with
  // computed h and w. Empty where their number is not known, or large.
  std::vector<std::optional<Dim>> partial_list(size_t i) const;
  // Elements of an integer operand of rank 0 or 1, where all are constant; nothing where only running tells them.
  std::optional<std::vector<int64_t>> known_ints(size_t i) const;
  // The same, where every element must be constant.
  std::vector<int64_t> constant_ints(size_t i) const;

  template <class T>
  T attrs() const {
    return attrs_to<T>(node_.attrs);
  }
  const Node& node() const { return node_; }
  const Graph& region(size_t i) const { return *node_.regions.at(i); }
  const SymbolTable& symbols() const { return graph_.symbols; }

  // Error(invalid_model) names the operand or attribute, what was found and what is accepted. Extents that only
  // run time tells become guards.
  void require_rank(size_t i, int at_least, int at_most = kMaxRank) const;
  void require_same_dtype(size_t i, size_t j) const;
  // False when the two can never be equal. Where only the extents given at run time tell, the graph gets a guard.
  bool assume_equal(Dim a, Dim b) const;
  // NumPy broadcasting; Error(invalid_model) for extents that do not go together.
  Shape broadcast(const Shape& a, const Shape& b) const;
  void require_dtype(size_t i, unsigned kinds) const;  // TypeKinds
  void require_shape(size_t i, const Shape& accepted) const;
  void require_broadcasts_to(size_t i, const Shape& accepted) const;
  void require_one_element(size_t i) const;
  void require_flag(const char* attribute, int64_t value) const;  // 0 or 1
  void require_choice(const char* attribute, const std::string& value,
                      std::initializer_list<std::string_view> accepted) const;
  // Axes in [0, rank), in the order given; refuses repeats.
  std::vector<int> distinct_axes(const std::vector<int64_t>& axes, int rank) const;
  std::string operand(size_t i) const;  // "operand 1 ('scale')"

  void output(size_t i, TensorType type);
  void output(size_t i, DataType dtype, Shape shape) { output(i, TensorType{dtype, std::move(shape)}); }
  void output_contents(size_t i, std::vector<Dim> contents);
  // An extent that only the operands' elements tell, `most` at most: a symbol that the reference kernel
  // "extents.<operator>" writes to bound_symbols, in order of these calls, before the node itself is computed.
  Dim data_dependent(std::string_view hint, Dim most) { return data_dependent(hint, most, kMeasuredSymbol.range.opt); }
  // One an axis; plans are tuned for `typical` ones.
  std::vector<Dim> measured(int rank, int64_t typical = kMeasuredSymbol.range.opt);
  // One for each axis of operand i, of which those of the result are taken to be about as large.
  std::vector<Dim> measured_like(size_t i);
  int64_t typical(Dim extent) const;  // what plans are tuned for; no less than 1
  void bind(Dim symbol);              // the node gives a value to this one, too
  int list_extent(size_t i) const;    // how many integers the operand holds, whatever they are

  const std::vector<TensorType>& outputs() const { return outputs_; }
  const std::vector<std::optional<std::vector<Dim>>>& output_contents() const { return contents_; }
  const std::vector<std::string>& bound_symbols() const { return bound_; }

 private:
  Dim data_dependent(std::string_view hint, Dim most, int64_t typical);

  Graph& graph_;
  const Node& node_;
  std::vector<TensorType> outputs_;
  std::vector<std::optional<std::vector<Dim>>> contents_;
  std::vector<std::string> bound_;
};

// Work of a node for reports: floating-point operations as an expression of its shapes.
using FlopsFn = Dim (*)(const Graph&, const Node&);
// Elementwise meaning: registers of `operands` in, register of the result out.
using PointwiseFn = PwBuilder::Reg (*)(PwBuilder&, const Attrs&, std::span<const PwBuilder::Reg> operands);

struct OpDef {
  std::string name;
  int min_inputs = 1;
  int max_inputs = 1;  // -1: any number
  int outputs = 1;     // -1: attribute or operands decide
  std::vector<std::string> operand_names;
  // Throws Error(invalid_model) when `attrs` does not fit; from the attribute struct's fields().
  void (*check_attrs)(const Attrs&) = nullptr;
  void (*infer)(InferContext&) = nullptr;

  // --- traits
  PointwiseFn pointwise = nullptr;
  FlopsFn flops = nullptr;  // nullptr: one a result element
  bool commutative = false;
  bool is_view = false;  // result is a strided window of operand 0 when strides permit (reshape, slice…)
  bool has_regions = false;
  bool pure = true;    // same operands, same result (random_* are not)
  std::string kernel;  // reference kernel; default: `name`
};

class OpTable {
 public:
  void add(OpDef def);
  const OpDef* find(OpName name) const;
  std::vector<const OpDef*> rows() const;  // sorted by name

 private:
  std::vector<std::unique_ptr<const OpDef>> rows_;
};

const OpTable& op_table();         // built on first use
const OpDef& op_def(OpName name);  // Error(unsupported) "no operator 'x'"

// InferContext::assume_equal for what is no operator's inference; `where` is what the guard says.
bool assume_equal(Graph& graph, Dim a, Dim b, const std::string& where);

// Elements of this type hold every value that the expression may have.
bool holds(DataType type, Dim value, const SymbolTable& symbols);

template <class T>
void check_attrs_as(const Attrs& attrs) {
  (void)attrs_to<T>(attrs);
}

}  // namespace planish
