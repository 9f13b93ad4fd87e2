// Convolutions of any shape on ordinary cores, with any epilogue.

#include <algorithm>
#include <cmath>

#include "tactics/cuda/common/launch.h"
#include "tactics/cuda/common/source.h"
#include "tactics/cuda/common/windows.h"

namespace planish::tactics::cuda {
namespace {

constexpr double kConvTera = 8, kTeraOfPixels = 1;
constexpr double kDirectUs = 6;
constexpr double kDirectStepUs = 0.1;  // of one step of depth in a tile, as seen on an H200
constexpr double kTilesAtOnce = 2 * 132;
constexpr int64_t kConvTile = 64, kFewChannels = 8;

struct ConvProblem : Windows {
  Epilogue epilogue;
};

std::string read_problem(const TacticQuery& query, ConvProblem& p) {
  if (std::string why = read_conv_windows(query, p); !why.empty()) return why;
  if (std::string why = refuse_types(query); !why.empty()) return why;
  p.epilogue = epilogue_of(query, p.form);
  return p.epilogue.refusal;
}

Launch launch_of(const TacticQuery& query, const ConvProblem& p, const std::string& kernel) {
  Launch launch;
  launch.kernel = kernel;
  launch.source = p.epilogue.source + fmt::format("#include \"{}.cuh\"\n", kernel);
  const bool biased = p.operands.size() > 2;
  launch.options = {define("SPATIAL", p.x.rank() - 2),
                    define("TYPE_X", device_type(query.input(p.operands[0]).type.dtype)),
                    define("TYPE_W", device_type(query.input(p.operands[1]).type.dtype)),
                    define("TYPE_Y", device_type(query.output(0).type.dtype)), define("HAS_BIAS", biased ? 1 : 0)};
  if (biased) launch.options.push_back(define("TYPE_B", device_type(query.input(p.operands[2]).type.dtype)));
  launch.arguments = {"view:i0", "view:i1", "view:o0"};
  if (biased) launch.arguments.push_back("view:i2");
  launch.three(p.stride);
  launch.three(p.dilation);
  std::vector<Dim> pad = p.pad;
  pad.resize(3, Dim(0));
  launch.three(pad);
  return launch;
}

void offer_conv(const TacticQuery& query, CandidateSink& sink, const ConvProblem& p, Launch launch, double tera,
                double least_us = 0) {
  add_extras(p.epilogue, p.operands.size(), launch);
  std::vector<size_t> operands = p.operands;
  operands.insert(operands.end(), p.epilogue.extras.begin(), p.epilogue.extras.end());
  double flops = 2 * typical_elements(query, p.transposed ? p.x : p.y);
  for (int i = 1; i < p.w.rank(); ++i) flops *= static_cast<double>(query.typical(p.w)[static_cast<size_t>(i)]);
  Candidate candidate = launch_candidate(query, std::move(launch), std::move(operands),
                                         std::max(estimate_us(query, flops, tera), least_us));
  candidate.inputs[p.operands[0]] = candidate.outputs[0] = LayoutRule::channels_last;
  candidate.strided_inputs = candidate.strided_output = true;
  sink.offer(std::move(candidate));
}

void propose_conv(const TacticQuery& query, CandidateSink& sink) {
  ConvProblem p;
  if (std::string why = read_problem(query, p); !why.empty()) return sink.refuse("cuda.direct_conv", std::move(why));
  const Dim count = p.y.element_count();
  if (p.transposed || query.typical(p.w)[1] < kFewChannels) {
    Launch launch = launch_of(query, p, "pixel_conv");
    launch.options.push_back(define("TRANSPOSED", p.transposed ? 1 : 0));
    launch.integer(p.attrs.group);
    launch.wide(count);
    launch.grid = {ceil_div(count, Dim(kBlock)), 1, 1};
    offer_conv(query, sink, p, std::move(launch), kTeraOfPixels);
  }
  if (p.transposed) return;
  Launch launch = launch_of(query, p, "direct_conv");
  const Dim filters = floor_div(p.y[1], Dim(p.attrs.group)), positions = floor_div(count, p.y[1]);
  launch.grid = {ceil_div(positions, Dim(kConvTile)), ceil_div(filters, Dim(kConvTile)), p.attrs.group};
  if (filters.upper_bound(query.graph.symbols) > kConvTile * 65535 || p.attrs.group > 65535)
    return sink.refuse("cuda.direct_conv", "too many filters or groups");
  const double tiles = std::ceil(typical_elements(query, Shape({positions})) / kConvTile) *
                       std::ceil(typical_elements(query, Shape({filters})) / kConvTile) *
                       static_cast<double>(p.attrs.group);
  double depth = 1;
  for (int i = 1; i < p.w.rank(); ++i) depth *= static_cast<double>(query.typical(p.w)[static_cast<size_t>(i)]);
  const double waves_us = kDirectUs + std::ceil(tiles / kTilesAtOnce) * depth * kDirectStepUs;
  offer_conv(query, sink, p, std::move(launch), kConvTera, waves_us);
}

}  // namespace

void register_conv(TacticTable& table) {
  table.add("conv", propose_conv);
  table.add("conv_transpose", propose_conv);
}

}  // namespace planish::tactics::cuda
