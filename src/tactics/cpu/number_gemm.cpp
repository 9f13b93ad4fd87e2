// Products of f32 rows and a matrix kept as numbers of 4 or 8 bits, with a scale for each block of depth of a column.
// Many rows may as well meet the matrix in f32.

#include <numeric>

#include "kernels/numbers.h"
#include "ops/common/block_weights.h"
#include "tactics/cpu/common/mma_problem.h"
#include "tactics/cpu/common/packed_product.h"

namespace planish::tactics::cpu {
namespace {

struct NumberProblem {
  EpilogueForm form;
  EpilogueParams epilogue;
  std::shared_ptr<const BlockWeights> weights;
  NumberAttrs attrs;
};

// A constant that a node of a fused body reads, from outside or inside.
Tensor constant_of(const TacticQuery& query, const Graph& body, const Node& node, size_t i) {
  if (i >= node.inputs.size() || !node.inputs[i].valid()) return {};
  const Value& inner = body.value(node.inputs[i]);
  if (inner.is_constant()) return inner.constant;
  for (size_t k = 0; k < body.inputs().size(); ++k)
    if (body.inputs()[k] == node.inputs[i]) return query.input(k).constant;
  return {};
}

// Deeper blocks are several of one scale. 0: the kernel has none such.
int64_t kernel_block(const BlockWeights& w) {
  if (w.block >= w.depth) return std::min(kDeepestBlock, (w.depth + kBlockStep - 1) / kBlockStep * kBlockStep);
  const int64_t block = w.block <= kDeepestBlock ? w.block : std::gcd(w.block, kDeepestBlock);
  return block % kBlockStep == 0 ? block : 0;
}

std::string describe(const TacticQuery& query, NumberProblem& p) {
  const Graph& body = *query.node.regions.at(0);
  const Node& dequantize = body.node(body.nodes()[0]);
  const auto form = epilogue_form(query.graph, query.node, 1);
  if (!form || form->anchor->op != "matmul" || form->anchor->inputs[1] != dequantize.outputs[0] ||
      !form->anchor_inputs[0].valid())
    return "the body is no product by a dequantised matrix";
  const auto weights = block_weights(constant_of(query, body, dequantize, 0), constant_of(query, body, dequantize, 1),
                                     constant_of(query, body, dequantize, 2), dequantize.attrs);
  if (!weights) return "the weights are no constant matrix [K, N] of numbers";
  p.form = *form;
  p.weights = std::make_shared<const BlockWeights>(*weights);
  p.epilogue = epilogue_params(query, *form, {}, weights->columns, query.output(0).type.shape.rank() - 1);
  return {};
}

// Digits of 8 bits count as exact; of 7 bits, where pairs of products are summed in 16 bits, 20 bits of a row count.
void set_digits(const TacticQuery& query, NumberAttrs& attrs) {
  attrs.dots = has_mma(query.isa, Mma::dot_i8) ? 1 : 0;
  if (code_level(query.isa) == Isa::scalar) return;
  if (attrs.dots != 0 || attrs.bits == 4)
    attrs.digit_bits = 8;
  else if (query.precisions.tf32)
    attrs.digit_bits = 7;
}

// kernels/numbers.h
Tensor packed(const BlockWeights& w, const NumberAttrs& attrs, Isa isa) {
  const NumberLayout layout(attrs, code_level(isa));
  return Tensor::make(DataType::u8, {layout.bytes()}, [&](std::byte* out) {
    std::fill_n(out, layout.bytes(), std::byte{0});
    for (int64_t panel = 0; panel < layout.panels(); ++panel)
      for (int64_t b = 0; b < layout.blocks(); ++b) {
        std::byte* const block = out + panel * layout.panel_bytes() + layout.block_at(b);
        auto* const scales = reinterpret_cast<float*>(block);
        auto* const words = reinterpret_cast<uint32_t*>(block) + layout.width;
        const int64_t depth = layout.depth_of(b), first = b * layout.block;
        auto* const zeros = reinterpret_cast<uint8_t*>(words + layout.words_of(depth) * layout.width);
        for (int64_t i = 0; i < layout.width && panel * layout.width + i < w.columns; ++i) {
          const int64_t n = panel * layout.width + i;
          const auto at = static_cast<size_t>(first / w.block * w.columns + n);
          scales[i] = w.scales[at];
          if (layout.has_zeros) zeros[i] = w.zeros[at];
          for (int64_t k = 0; k < depth; ++k)
            words[k / layout.per_word * layout.width + i] |=
                uint32_t{w.numbers[static_cast<size_t>((first + k) * w.columns + n)]} << layout.shift_of(k);
        }
      }
  });
}

void offer_numbers(const TacticQuery& query, CandidateSink& sink, NumberProblem problem, double rows) {
  const BlockWeights& w = *problem.weights;
  NumberAttrs& attrs = problem.attrs;
  attrs.block = kernel_block(w);
  if (attrs.block == 0)
    return sink.refuse("number_gemm", "blocks of " + std::to_string(w.block) + ", multiples of 8 are accepted");
  attrs.columns = w.columns;
  attrs.depth = w.depth;
  attrs.bits = w.bits;
  const bool one_zero = std::all_of(w.zeros.begin(), w.zeros.end(), [&](uint8_t z) { return z == w.zeros[0]; });
  attrs.zero = one_zero ? w.zeros[0] : -1;
  set_digits(query, attrs);
  apply(problem.epilogue, attrs);
  const auto p = std::make_shared<const NumberProblem>(std::move(problem));
  const Node* node = &query.node;
  Candidate candidate;
  candidate.name = "gemm.i" + std::to_string(w.bits) + "_weights";
  candidate.inputs.assign(node->inputs.size(), LayoutRule::any);
  if (p->epilogue.residual) candidate.inputs[operand_index(*node, p->epilogue.extras[0])] = LayoutRule::row_major;
  candidate.outputs = {LayoutRule::row_major};
  const double values = static_cast<double>(w.depth) * static_cast<double>(w.columns);
  const auto bytes = static_cast<double>(NumberLayout(p->attrs, code_level(query.isa)).bytes());
  const bool few = rows <= static_cast<double>(kFewRows) && p->attrs.digit_bits > 0;
  const double other = 4 * rows * static_cast<double>(w.depth + w.columns);
  candidate.estimated_us = estimate_us(query, 2 * values * rows * (few ? 1.5 : 1), bytes + other, 0.75) +
                           (few ? 0 : estimate_us(query, 6 * values, bytes, 0.5));
  candidate.emit = [=, isa = query.isa](StepBuilder& builder) {
    std::vector<Operand> inputs = {builder.input(operand_index(*node, p->form.anchor_inputs[0])),
                                   builder.constant(packed(*p->weights, p->attrs, isa))};
    if (p->epilogue.bias.present())
      inputs.push_back(builder.constant(p->epilogue.bias.reshaped({p->epilogue.bias.element_count()})));
    for (ValueId extra : p->epilogue.extras) inputs.push_back(builder.input(operand_index(*node, extra)));
    builder.step(StepKind::cpu, "number_gemm", attrs_of(p->attrs), std::move(inputs), {builder.output(0)});
  };
  sink.offer(std::move(candidate));
}

void propose_number_gemm(const TacticQuery& query, CandidateSink& sink) {
  if (query.node.op != "fused") return;
  const Graph& body = *query.node.regions.at(0);
  const auto order = body.nodes();
  if (order.size() < 2 || body.node(order[1]).op != "matmul") return;  // other bodies that begin so
  NumberProblem p;
  if (std::string why = describe(query, p); !why.empty()) return sink.refuse("number_gemm", std::move(why));
  const double rows = typical_elements(query, query.output(0).type.shape) / static_cast<double>(p.weights->columns);
  offer_numbers(query, sink, p, rows);
  if (rows <= static_cast<double>(kFewRows) && !sink.candidates.empty()) return;
  const Tensor weights = dequantized(*p.weights);
  offer_packed(query, sink, p.form, weights);
  const auto kinds = permitted_float_mmas(query);
  if (kinds.empty()) return;
  MmaProblem problem = mma_gemm_problem(query, p.form, p.epilogue, p.weights->depth, p.weights->columns);
  problem.pack = pack_matrix<float>(query, weights);
  offer_mma(query, sink, problem, kinds);
}

}  // namespace

void register_number_gemm(TacticTable& table) { table.add("dequantize_linear", propose_number_gemm); }

}  // namespace planish::tactics::cpu
