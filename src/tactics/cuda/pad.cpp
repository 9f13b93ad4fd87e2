// Padding, cropping and tiling; blocks of pixels between channels and space; triangles.

#include "kernels/reference/move.h"
#include "kernels/reference/select.h"
#include "tactics/cuda/common/launch.h"
#include "tactics/cuda/common/source.h"

namespace planish::tactics::cuda {
namespace {

std::string refuse_moving(const TacticQuery& query) {
  if (query.node.op == "fused") return "an epilogue";
  const TensorType& x = query.input(0).type;
  if (word_type(x.dtype).empty()) return "its operand is " + x.str();
  if (x.shape.rank() == 0) return "a scalar";
  if (query.output(0).type.shape.element_count().upper_bound(query.graph.symbols) > INT32_MAX)
    return "2^31 elements or more";
  return "";
}

Launch moving_launch(const TacticQuery& query, const std::string& kernel) {
  Launch launch;
  launch.kernel = kernel;
  launch.source = fmt::format("#include \"{}.cuh\"\n", kernel);
  launch.options = {define("TYPE", word_type(query.input(0).type.dtype))};
  launch.arguments = {"view:i0", "view:o0"};
  return launch;
}

// A thread a result.
void offer_moving(const TacticQuery& query, CandidateSink& sink, Launch launch, std::vector<size_t> operands) {
  const Dim count = query.output(0).type.shape.element_count();
  launch.wide(count);
  launch.grid = {ceil_div(count, Dim(kBlock)), 1, 1};
  sink.offer(launch_candidate(query, std::move(launch), std::move(operands), estimate_us(query, 0, 1)));
}

int pad_mode(const std::string& mode) {
  return mode == "constant" ? 0 : mode == "edge" ? 1 : mode == "reflect" ? 2 : 3;
}

void propose_pad(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.pad", std::move(why)); };
  if (std::string why = refuse_moving(query); !why.empty()) return refuse(std::move(why));
  const int rank = query.input(0).type.shape.rank();
  const bool tile = query.node.op == "tile", filled = !tile && query.has_input(2);
  std::vector<int32_t> before(static_cast<size_t>(rank), 0);
  if (!tile) {
    if (!query.input(1).is_constant() || (query.has_input(3) && !query.input(3).is_constant()))
      return refuse("its pads are computed");
    const std::vector<int64_t> pads = query.input(1).constant.to_ints();
    const std::vector<int64_t> axes = query.has_input(3) ? query.input(3).constant.to_ints() : std::vector<int64_t>();
    for (size_t i = 0; i < pads.size() / 2; ++i)
      before[axes.empty() ? i : static_cast<size_t>(normalize_axis(axes[i], rank))] = static_cast<int32_t>(pads[i]);
  }
  Launch launch = moving_launch(query, "pad");
  launch.options.push_back(define("RANK", rank));
  launch.options.push_back(define("MODE", tile ? 3 : pad_mode(attrs_to<PadAttrs>(query.node.attrs).mode)));
  launch.options.push_back(define("FILLED", filled ? 1 : 0));
  launch.arguments.push_back(filled ? "pointer:i2" : "pointer:i1");
  if (filled) launch.arguments.push_back("pointer:i1");
  launch.constants = {Tensor::of<int32_t>({rank}, before)};
  offer_moving(query, sink, std::move(launch), filled ? std::vector<size_t>{0, 2} : std::vector<size_t>{0});
}

void propose_depth_space(const TacticQuery& query, CandidateSink& sink) {
  if (std::string why = refuse_moving(query); !why.empty()) return sink.refuse("cuda.depth_space", std::move(why));
  const auto attrs = attrs_to<DepthToSpaceAttrs>(query.node.attrs);
  Launch launch = moving_launch(query, "depth_space");
  launch.options.push_back(define("TO_SPACE", query.node.op == "depth_to_space" ? 1 : 0));
  launch.options.push_back(define("COLUMNS_FIRST", attrs.mode == "CRD" ? 1 : 0));
  launch.integer(attrs.blocksize);
  offer_moving(query, sink, std::move(launch), {0});
}

void propose_trilu(const TacticQuery& query, CandidateSink& sink) {
  const auto refuse = [&](std::string why) { sink.refuse("cuda.triangle", std::move(why)); };
  if (std::string why = refuse_moving(query); !why.empty()) return refuse(std::move(why));
  if (query.has_input(1) && !query.input(1).is_constant()) return refuse("its diagonal is computed");
  Launch launch = moving_launch(query, "triangle");
  launch.options.push_back(define("RANK", query.input(0).type.shape.rank()));
  launch.options.push_back(define("UPPER", attrs_to<TriluAttrs>(query.node.attrs).upper != 0 ? 1 : 0));
  launch.wide(query.has_input(1) ? query.input(1).constant.to_ints().at(0) : 0);
  offer_moving(query, sink, std::move(launch), {0});
}

}  // namespace

void register_pad(TacticTable& table) {
  table.add("pad", propose_pad);
  table.add("tile", propose_pad);
  table.add("depth_to_space", propose_depth_space);
  table.add("space_to_depth", propose_depth_space);
  table.add("trilu", propose_trilu);
}

}  // namespace planish::tactics::cuda
