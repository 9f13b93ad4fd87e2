// Products of matrices on ordinary cores, with any epilogue.

#include "tactics/cuda/common/launch.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

constexpr double kGemmTera = 8;
constexpr int64_t kGemmTile = 64;

void propose_matmul(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.direct_gemm", std::move(why)); };
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return refuse("what follows it is not one epilogue");
  const TensorType &a = query.graph.value(form->anchor_inputs[0]).type,
                   &b = query.graph.value(form->anchor_inputs[1]).type;
  const TensorType& y = query.output(0).type;
  if (std::string why = refuse_types(query); !why.empty()) return refuse(std::move(why));
  for (const TensorType* type : {&a, &b, &y})
    if (!is_float(type->dtype)) return refuse("an operand is " + type->str());
  // An epilogue that adds axes in front would leave the product's own positions.
  if (form->body != &query.graph && form->body->value(form->anchor->outputs[0]).type.shape != y.shape)
    return refuse("its epilogue spreads the result");
  const Epilogue epilogue = epilogue_of(query, *form);
  if (!epilogue.refusal.empty()) return refuse(epilogue.refusal);
  const bool row = a.shape.rank() == 1, column = b.shape.rank() == 1;
  const Dim height = row ? Dim(1) : a.shape[a.shape.rank() - 2], width = column ? Dim(1) : b.shape[b.shape.rank() - 1];
  const Dim depth = a.shape[a.shape.rank() - 1];
  Dim matrices = 1;
  for (int i = 0; i < y.shape.rank() - (row ? 0 : 1) - (column ? 0 : 1); ++i) matrices = matrices * y.shape[i];
  if (matrices.upper_bound(query.graph.symbols) > 65535) return refuse("more than 65535 matrices");
  if (ceil_div(width, Dim(kGemmTile)).upper_bound(query.graph.symbols) > 65535) return refuse("too many columns");
  Launch launch;
  launch.kernel = "direct_gemm";
  launch.source = epilogue.source + "#include \"direct_gemm.cuh\"\n";
  launch.options = {define("RANK_A", a.shape.rank()),       define("RANK_B", b.shape.rank()),
                    define("RANK_Y", y.shape.rank()),       define("TYPE_A", device_type(a.dtype)),
                    define("TYPE_B", device_type(b.dtype)), define("TYPE_Y", device_type(y.dtype))};
  launch.grid = {ceil_div(height, Dim(kGemmTile)), ceil_div(width, Dim(kGemmTile)), matrices};
  launch.arguments = {"view:i0", "view:i1", "view:o0"};
  add_extras(epilogue, 2, launch);
  std::vector<size_t> operands = {operand_index(query.node, form->anchor_inputs[0]),
                                  operand_index(query.node, form->anchor_inputs[1])};
  operands.insert(operands.end(), epilogue.extras.begin(), epilogue.extras.end());
  const double flops = 2 * typical_elements(query, y.shape) * typical_elements(query, Shape({depth}));
  sink.offer(launch_candidate(query, std::move(launch), std::move(operands), estimate_us(query, flops, kGemmTera)));
}

}  // namespace

void register_matmul(TacticTable& table) { table.add("matmul", propose_matmul); }

}  // namespace planish::tactics::cuda
