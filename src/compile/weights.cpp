#include "compile/weights.h"

#include <algorithm>
#include <map>
#include <set>

#include "ir/patch.h"
#include "ops/builder.h"

namespace planish {
namespace {

constexpr int64_t kLeastDepth = 16;
constexpr int64_t kMostDynamicDepth = 0x7fffffff / (255 * 255);  // sums stay within 32 bits

bool is_weight_product(const Graph& graph, const Node& node) {
  if (node.op != "matmul") return false;
  const Value &a = graph.value(node.inputs[0]), &b = graph.value(node.inputs[1]);
  return a.type.dtype == DataType::f32 && !a.is_constant() && a.type.shape.rank() >= 2 && b.is_constant() &&
         b.type.dtype == DataType::f32 && b.type.shape.rank() == 2 && b.constant.extents()[0] >= kLeastDepth &&
         b.constant.extents()[1] > 0;
}

std::vector<std::string> names_of(const Node& node) {
  std::vector<std::string> names = node.origins;
  names.push_back(node.name);
  return names;
}

class WeightQuantizer {
 public:
  WeightQuantizer(Graph& graph, const WeightOptions& options, WeightReport* report)
      : graph_(graph), options_(options), format_(weight_format(options)), report_(report) {}

  void run() {
    std::set<std::string> left(options_.exclude.begin(), options_.exclude.end());
    for (NodeId id : graph_.nodes()) {
      const Node& node = graph_.node(id);
      bool excluded = false;
      for (const std::string& name : names_of(node))
        if (std::find(options_.exclude.begin(), options_.exclude.end(), name) != options_.exclude.end()) {
          excluded = true;
          left.erase(name);
        }
      if (!excluded && is_weight_product(graph_, node)) rewrite(id);
    }
    if (!left.empty()) fail(Code::invalid_argument, "'{}' is excluded, but no layer has that name", *left.begin());
    graph_.remove_dead();
  }

 private:
  void rewrite(NodeId id) {
    const Node& node = graph_.node(id);
    const ValueId rows = node.inputs[0], result = node.outputs[0];
    const Tensor weights = graph_.value(node.inputs[1]).constant;
    const int64_t depth = weights.extents()[0], columns = weights.extents()[1];
    const bool dynamic = options_.dynamic && depth <= kMostDynamicDepth;
    const BlockWeights w = with_context([&] { return fmt::format("the weights of '{}'", node.name); },
                                        [&] { return quantized_matrix(weights.as<float>(), depth, columns, format_); });
    if (report_ != nullptr) {
      report_->layers.push_back(node.name);
      report_->bytes_before += weights.byte_count();
      report_->bytes_after += depth * columns * w.bits / 8 + static_cast<int64_t>(w.scales.size()) * 4;
    }
    const DequantizeOperands operands = dequantize_operands(w);
    Patch patch(graph_);
    const ValueId x = dynamic ? dynamic_rows(patch, rows) : rows;
    const ValueId b =
        add_op(patch, "dequantize_linear",
               {patch.constant(operands.numbers), patch.constant(operands.scales), patch.constant(operands.zeros)},
               operands.attrs);
    patch.replace(result, add_op(patch, "matmul", {x, b}));
    patch.apply();
  }

  // Readers of one value share its numbers.
  ValueId dynamic_rows(Patch& patch, ValueId x) {
    const auto known = rows_.find(x);
    std::vector<ValueId> numbers;
    if (known != rows_.end()) {
      numbers = known->second;
    } else {
      const ValueId first =
          add_op(patch, "dynamic_quantize_linear", {x}, {{"rows", int64_t{1}}, {"symmetric", int64_t{1}}});
      numbers = graph_.node(graph_.value(first).producer).outputs;
      rows_[x] = numbers;
    }
    const Shape shape = graph_.value(x).type.shape;
    return add_op(patch, "dequantize_linear", numbers,
                  {{"axis", int64_t{-1}}, {"block_size", shape[shape.rank() - 1].value()}});
  }

  Graph& graph_;
  const WeightOptions& options_;
  WeightFormat format_;
  WeightReport* report_;
  std::map<ValueId, std::vector<ValueId>> rows_;
};

}  // namespace

void check_weight_options(const WeightOptions& options) {
  if (options.bits != 0 && options.bits != 4 && options.bits != 8)
    fail(Code::invalid_argument, "weights of {} bits; 8 and 4 are accepted", options.bits);
  if (options.dynamic && (options.bits == 4 || options.block > 0 || !options.symmetric))
    fail(Code::invalid_argument, "dynamic rows go with symmetric weights of 8 bits, a scale a column");
  if (options.block >= 0) check_format({options.bits == 0 ? 8 : options.bits, options.block, options.symmetric});
}

WeightFormat weight_format(const WeightOptions& options) {
  const int bits = options.bits == 0 ? 8 : options.bits;
  return {bits, options.block >= 0 ? options.block : bits == 4 ? 32 : 0, options.symmetric};
}

void quantize_weights(Graph& graph, const WeightOptions& options, WeightReport* report) {
  check_weight_options(options);
  WeightQuantizer(graph, options, report).run();
}

}  // namespace planish
