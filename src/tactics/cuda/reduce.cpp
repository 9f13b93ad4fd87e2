// Reductions over fixed axes, and poolings over all positions.

#include "kernels/reference/reduce.h"

#include "tactics/cuda/common/simple.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

constexpr double kSerialResults = 1 << 15, kSerialElements = 64;

constexpr int64_t kPixelChannels = 64, kCluster = 8, kMostImages = 65535;
constexpr double kFewBlocks = 132, kManyPixels = 256, kVeryManyPixels = 2048;

struct Reduction {
  const char *op, *how, *begin, *end, *identity;
};
constexpr Reduction kReductions[] = {
    {"reduce_sum", "Plus", "(v)", "(v)", "0"},
    {"reduce_mean", "Plus", "(v)", "((v)/(count))", "0"},
    {"reduce_max", "Larger", "(v)", "(v)", "__int_as_float(0xff800000)"},
    {"reduce_min", "Smaller", "(v)", "(v)", "__int_as_float(0x7f800000)"},
    {"reduce_prod", "Times", "(v)", "(v)", "1"},
    {"reduce_l1", "Plus", "fabsf(v)", "(v)", "0"},
    {"reduce_l2", "Plus", "((v)*(v))", "sqrtf(v)", "0"},
    {"reduce_sum_square", "Plus", "((v)*(v))", "(v)", "0"},
    {"reduce_log_sum", "Plus", "(v)", "logf(v)", "0"},
    {"global_average_pool", "Plus", "(v)", "((v)/(count))", "0"},
    {"global_max_pool", "Larger", "(v)", "(v)", "__int_as_float(0xff800000)"},
};

// Bit i: axis i goes. Negative: only running tells.
int mask_of(const TacticQuery& query, const UnaryProblem& p, bool global) {
  const int rank = p.x.shape.rank(), all = (1 << rank) - 1;
  if (global) return all & ~3;
  const auto& inputs = p.form.anchor_inputs;
  if (inputs.size() < 2 || !inputs[1].valid())
    return p.form.anchor->attrs.get_or<int64_t>("noop_with_empty_axes", 0) != 0 ? 0 : all;
  const Value& axes = query.graph.value(inputs[1]);
  if (!axes.is_constant()) return -1;
  int mask = 0;
  for (int64_t axis : axes.constant.to_ints()) mask |= 1 << normalize_axis(axis, rank);
  if (mask == 0 && p.form.anchor->attrs.get_or<int64_t>("noop_with_empty_axes", 0) == 0) return all;
  return mask;
}

void add_reduction(const Reduction& row, Launch& launch) {
  launch.options.insert(launch.options.end(),
                        {define("HOW", row.how), "-DBEGIN(v)=" + std::string(row.begin),
                         "-DEND(v,count)=" + std::string(row.end), define("IDENTITY", row.identity)});
}

// Over all pixels of an image channels last.
void offer_pixels(const TacticQuery& query, CandidateSink& sink, const UnaryProblem& p, const Reduction& row) {
  const Shape& x = p.x.shape;
  const Dim blocks = ceil_div(x[1], Dim(kPixelChannels)), pixels = floor_div(x.element_count(), x[0] * x[1]);
  if (x[0].upper_bound(query.graph.symbols) > kMostImages) return;
  const double typical_blocks = typical_elements(query, Shape({blocks * x[0]}));
  const double typical_pixels = typical_elements(query, Shape({pixels}));
  const bool shared =
      query.cuda == "sm_90a" && ((typical_blocks < kFewBlocks && typical_pixels >= kManyPixels) ||
                                 (typical_blocks < 4 * kFewBlocks && typical_pixels >= kVeryManyPixels));
  const int64_t cluster = shared ? kCluster : 1;
  Launch launch;
  launch.kernel = "reduce_pixels";
  launch.options = {define("RANK_Y", p.y.shape.rank()), define("BLOCKS", cluster)};
  add_reduction(row, launch);
  launch.arguments = {"view:i0", "view:o0"};
  for (const Dim& value : {x[1], pixels, x[1]}) launch.integer(value);
  launch.grid = {Dim(cluster) * blocks, x[0], 1};
  launch.cluster = cluster;
  Candidate candidate =
      unary_candidate(query, p, std::move(launch), LayoutRule::channels_last, LayoutRule::row_major, 0);
  candidate.strided_inputs = candidate.strided_output = false;
  candidate.estimated_us -= 0.5;
  sink.offer(std::move(candidate));
}

void propose_reduce(const TacticQuery& query, CandidateSink& sink) {
  const auto p = unary_problem(query, sink, "cuda.reduce");
  if (!p) return;
  const std::string op = p->form.anchor->op.str();
  const bool global = op.starts_with("global_");
  const int rank = p->x.shape.rank(), mask = mask_of(query, *p, global);
  if (mask < 0) return sink.refuse("cuda.reduce", "its axes are computed");
  if (rank == 0) return sink.refuse("cuda.reduce", "a scalar");
  const bool keep = global || p->form.anchor->attrs.get_or<int64_t>("keepdims", 1) != 0;
  Dim results = 1, count = 1;
  for (int i = 0; i < rank; ++i)
    ((mask >> i & 1) != 0 ? count : results) = ((mask >> i & 1) != 0 ? count : results) * p->x.shape[i];
  const bool serial = typical_elements(query, Shape({results})) >= kSerialResults ||
                      typical_elements(query, Shape({count})) <= kSerialElements;
  for (const Reduction& row : kReductions) {
    if (op != row.op) continue;
    Launch launch;
    launch.kernel = "reduce";
    launch.options = {define("RANK", rank), define("AXES", mask), define("KEEP", keep), define("SERIAL", serial)};
    add_reduction(row, launch);
    launch.arguments = {"view:i0", "view:o0"};
    launch.wide(results);
    launch.grid = {serial ? ceil_div(results, Dim(kBlock)) : results, 1, 1};
    offer_unary(query, sink, *p, std::move(launch), LayoutRule::any, LayoutRule::row_major, 0);
    if (rank >= 3 && mask == (((1 << rank) - 1) & ~3)) offer_pixels(query, sink, *p, row);
  }
}

}  // namespace

void register_reduce(TacticTable& table) {
  for (const Reduction& row : kReductions) table.add(row.op, propose_reduce);
}

}  // namespace planish::tactics::cuda
