// Attention with a block a row, scores in shared memory.

#include "kernels/reference/attention.h"

#include <algorithm>

#include "ops/builder.h"
#include "tactics/cuda/common/launch.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

constexpr int64_t kMostKeys = 11 << 10;  // of four bytes, in what every GPU has without asking
constexpr double kAttentionTera = 2;

void propose_attention(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.attention", std::move(why)); };
  const Node& node = query.node;
  if (node.op == "fused") return refuse("an epilogue");
  const DataType type = query.input(0).type.dtype;
  if (!is_float(type) || device_type(type).empty()) return refuse("its operands are " + query.input(0).type.str());
  const auto attrs = attrs_to<AttentionAttrs>(node.attrs);
  const auto rank = [&](size_t i) { return query.has_input(i) ? query.input(i).type.shape.rank() : -1; };
  const Shape &key = query.input(1).type.shape, &y = query.output(0).type.shape;
  const int64_t keys = key[key.rank() - 1].upper_bound(query.graph.symbols);
  if (keys > kMostKeys) return refuse(fmt::format("up to {} keys, {} are accepted", keys, kMostKeys));
  Dim rows = 1;
  for (int i = 0; i + 1 < y.rank(); ++i) rows = rows * y[i];
  if (rows.upper_bound(query.graph.symbols) > INT32_MAX) return refuse("2^31 rows or more");
  Launch launch;
  launch.kernel = "attention";
  launch.source = "#include \"attention.cuh\"\n";
  launch.options = {define("RANK_Q", rank(0)),         define("RANK_K", rank(1)),
                    define("RANK_V", rank(2)),         define("RANK_Y", y.rank()),
                    define("RANK_M0", rank(3)),        define("RANK_M1", rank(4)),
                    define("TYPE", device_type(type)), define("ROWS_FIRST", attrs.rows_first)};
  launch.arguments = {"view:i0", "view:i1", "view:i2"};
  std::vector<size_t> operands = {0, 1, 2};
  for (size_t i = 3; i < 3 + kAttentionMasks; ++i) {
    if (!query.has_input(i)) continue;
    launch.arguments.push_back(fmt::format("view:i{}", operands.size()));
    operands.push_back(i);
  }
  launch.arguments.push_back("view:o0");
  launch.real(attrs.scale);
  launch.grid = {rows, 1, 1};
  launch.shared = 4 * std::max<int64_t>(keys, 1);
  SymbolValues typical;
  for (const auto& [name, info] : query.graph.symbols) typical[name] = info.range.opt;
  const double flops = static_cast<double>(flops_of(query.graph, node).evaluate(typical));
  sink.offer(
      launch_candidate(query, std::move(launch), std::move(operands), estimate_us(query, flops, kAttentionTera)));
}

}  // namespace

void register_attention(TacticTable& table) { table.add("attention", propose_attention); }

}  // namespace planish::tactics::cuda
