#include "tactics/cuda/common/simple.h"

#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {

std::optional<UnaryProblem> unary_problem(const TacticQuery& query, CandidateSink& sink, const std::string& tactic) {
  const auto refuse = [&](std::string why) {
    sink.refuse(tactic, std::move(why));
    return std::nullopt;
  };
  auto form = epilogue_form(query.graph, query.node);
  if (!form) return refuse("what follows it is not one epilogue");
  if (query.node.outputs.size() > 1) return refuse("more than one result is asked for");
  UnaryProblem p{std::move(*form), {}, {}, query.output(0).type, 0};
  p.x = query.graph.value(p.form.anchor_inputs[0]).type;
  p.operand = operand_index(query.node, p.form.anchor_inputs[0]);
  if (std::string why = refuse_types(query); !why.empty()) return refuse(std::move(why));
  const bool bytes = p.form.anchor->op == "max_pool" && element_bytes(p.x.dtype) == 1 && p.x.dtype == p.y.dtype &&
                     p.form.epilogue.results.empty();
  if (!bytes && (!is_float(p.x.dtype) || !is_float(p.y.dtype))) return refuse("an operand is " + p.x.str());
  if (p.x.shape.element_count().upper_bound(query.graph.symbols) > INT32_MAX) return refuse("2^31 elements or more");
  if (p.form.body != &query.graph && p.form.body->value(p.form.anchor->outputs[0]).type.shape != p.y.shape)
    return refuse("its epilogue spreads the result");
  p.epilogue = epilogue_of(query, p.form);
  if (!p.epilogue.refusal.empty()) return refuse(p.epilogue.refusal);
  return p;
}

Candidate unary_candidate(const TacticQuery& query, const UnaryProblem& p, Launch launch, LayoutRule operand,
                          LayoutRule result, double flops) {
  launch.source = p.epilogue.source + fmt::format("#include \"{}.cuh\"\n", launch.kernel);
  launch.options.push_back(define("TYPE_X", device_type(p.x.dtype)));
  launch.options.push_back(define("TYPE_Y", device_type(p.y.dtype)));
  add_extras(p.epilogue, 1, launch);
  std::vector<size_t> operands = {p.operand};
  operands.insert(operands.end(), p.epilogue.extras.begin(), p.epilogue.extras.end());
  Candidate candidate = launch_candidate(query, std::move(launch), std::move(operands), estimate_us(query, flops, 1));
  candidate.inputs[p.operand] = operand;
  candidate.outputs = {result};
  candidate.strided_inputs = candidate.strided_output = true;
  return candidate;
}

void offer_unary(const TacticQuery& query, CandidateSink& sink, const UnaryProblem& p, Launch launch,
                 LayoutRule operand, LayoutRule result, double flops) {
  sink.offer(unary_candidate(query, p, std::move(launch), operand, result, flops));
}

}  // namespace planish::tactics::cuda
