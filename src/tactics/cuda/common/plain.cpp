#include "tactics/cuda/common/plain.h"

#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

bool is_made(const TacticQuery& query, size_t i) {
  return i < query.node.outputs.size() && query.node.outputs[i].valid();
}

// What is there of operands and results, in order.
std::vector<size_t> present(size_t count, const std::function<bool(size_t)>& is_there) {
  std::vector<size_t> found;
  for (size_t i = 0; i < count; ++i)
    if (is_there(i)) found.push_back(i);
  return found;
}

constexpr double kPlainTera = 0.5;

}  // namespace

std::optional<Launch> plain_launch(const TacticQuery& query, CandidateSink& sink, const std::string& kernel,
                                   size_t operands, size_t results, uint32_t spread) {
  const auto refuse = [&](std::string why) {
    sink.refuse("cuda." + kernel, std::move(why));
    return std::nullopt;
  };
  if (query.node.op == "fused") return refuse("an epilogue");
  Launch launch;
  launch.kernel = kernel;
  launch.source = fmt::format("#include \"{}.cuh\"\n", kernel);
  int has = 0, made = 0, place = 0;
  bool wide = false;
  std::string first;
  std::vector<std::string> arguments;
  const auto add = [&](const TensorType& type, const std::string& macro) {
    const bool whole = macro == "X0" && !is_float(type.dtype) && element_bytes(type.dtype) > 2;
    wide = wide || type.dtype == DataType::f64 || whole;
    launch.options.push_back(define(macro, wide_type(type.dtype)));
    return !wide_type(type.dtype).empty() && type.shape.element_count().upper_bound(query.graph.symbols) <= INT32_MAX;
  };
  for (size_t i = 0; i < operands; ++i) {
    arguments.emplace_back();
    if (!query.has_input(i)) continue;
    if (!add(query.input(i).type, fmt::format("X{}", i))) return refuse("an operand is " + query.input(i).type.str());
    has |= 1 << i;
    arguments.back() = fmt::format("{}:i{}", (spread >> i & 1) != 0 ? "spread" : "view", place++);
  }
  place = 0;
  for (size_t i = 0; i < results; ++i) {
    arguments.emplace_back();
    if (!is_made(query, i)) continue;
    const TensorType& type = query.output(i).type;
    if (!add(type, fmt::format("Y{}", i))) return refuse("a result is " + type.str());
    if (made == 0) launch.options.push_back(define("RANK", type.shape.rank()));
    made |= 1 << i;
    arguments.back() = fmt::format("view:o{}", place++);
  }
  for (std::string& argument : arguments)
    if (argument.empty()) argument = "view:o0";
  launch.arguments = std::move(arguments);
  for (const auto& [name, value] : {std::pair("HAS", has), std::pair("MADE", made)})
    launch.options.push_back(define(name, value));
  launch.options.push_back(define("REAL", wide ? "double" : "float"));
  return launch;
}

void offer_plain_blocks(const TacticQuery& query, CandidateSink& sink, Launch launch, const Dim& blocks, double flops) {
  launch.grid = {blocks, 1, 1};
  const auto inputs = present(query.node.inputs.size(), [&](size_t i) { return query.has_input(i); });
  const auto outputs = present(query.node.outputs.size(), [&](size_t i) { return is_made(query, i); });
  Candidate candidate = launch_candidate(query, launch, inputs, estimate_us(query, flops, kPlainTera));
  candidate.emit = [launch = std::move(launch), inputs, outputs, arch = query.cuda](StepBuilder& builder) {
    std::vector<Operand> from, to;
    for (size_t i : inputs) from.push_back(builder.input(i));
    for (size_t i : outputs) to.push_back(builder.output(i));
    builder.step(StepKind::launch, launch.kernel, launch.attrs(arch), std::move(from), std::move(to));
  };
  sink.offer(std::move(candidate));
}

void offer_plain(const TacticQuery& query, CandidateSink& sink, Launch launch, const Dim& threads, double flops) {
  launch.wide(threads);
  offer_plain_blocks(query, sink, std::move(launch), ceil_div(threads, Dim(kBlock)), flops);
}

std::optional<std::vector<int64_t>> stated(const TacticQuery& query, size_t operand, std::vector<int64_t> missing) {
  if (!query.has_input(operand)) return missing;
  if (!query.input(operand).is_constant()) return std::nullopt;
  return query.input(operand).constant.to_ints();
}

}  // namespace planish::tactics::cuda
