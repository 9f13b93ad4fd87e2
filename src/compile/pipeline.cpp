#include "compile/pipeline.h"

#include <filesystem>

#include "base/file.h"
#include "ir/text.h"
#include "passes/passes.h"

namespace planish {

std::vector<Pass> simplifying_passes() {
  using namespace passes;
  return {
      widen_half(),        // first: what follows, and every kernel, is written for f32
      integer_products(),  // before their parts are simplified
      fold_shapes(),       // exporters' shape arithmetic vanishes before anything looks at its results
      fold_constants(),
      fold_if(),  // a branch that is known is looked at like everything else
      fold_shapes(),
      fold_constants(),
      remove_identity(),
      canonicalize(),  // one form each for what has several: clip, gemm
      slice_of_gather(),
      recognise_depth_to_space(),  // before reshapes are joined with others
      sink_transpose(),            // while products have their rows as they were written
      cancel_reshapes(),
      split_axes(),
      cancel_transposes(),
      canonicalize(),    // means that transposes had kept from being global pooling
      fold_constants(),  // constants that canonical forms made
      fold_pad(),
      recognise_activations(),  // before their factors are taken apart
      recognise_hard_swish(),
      recognise_softmax(),
      recognise_layer_norm(),
      recognise_rms_norm(),
      sink_reshape(),
      hoist_pointwise(),  // to where weights or an epilogue take it
      cancel_reshapes(),
      cancel_transposes(),  // that rows between them had kept apart
      hoist_pointwise(),    // past what reshapes had kept apart
      fold_scale(),         // batch normalisation and per-channel arithmetic into weights
      sink_scale(),
      recognise_attention(),  // when its factors are together, before pointwise nodes fuse
      expand_pow(),           // when no pattern looks for powers any more
  };
}

static std::vector<Pass> numbers_passes() {
  using namespace passes;
  return {
      sink_dequantize(),  // what only moves, moves bytes
      eliminate_common(),
      join_parts(),  // of what is split and read by others, too
      remove_identity(),
  };
}

static std::vector<Pass> fusing_passes(bool gpu) {
  using namespace passes;
  std::vector<Pass> all = {
      fuse_quantized(),  // before fuse_epilogue, which takes any product
      fuse_epilogue(),   // before fuse_pointwise: an epilogue costs no memory traffic
      merge_siblings(),  // of one epilogue
  };
  if (gpu) all.push_back(merge_products());
  // Behind the last: dequantisations that were copied.
  for (Pass& pass : std::vector<Pass>{fuse_pointwise(), hoist_tables(), eliminate_common()})
    all.push_back(std::move(pass));
  return all;
}

std::vector<Pass> pipeline(bool optimize, bool gpu) {
  using namespace passes;
  if (!optimize) return {widen_half(), integer_products(), fold_shapes(), fold_constants()};
  std::vector<Pass> all = simplifying_passes();
  for (Pass& pass : numbers_passes()) all.push_back(std::move(pass));
  if (!gpu) all.push_back(fuse_weights());  // before fuse_quantized, which folds what no such product took
  for (Pass& pass : fusing_passes(gpu)) all.push_back(std::move(pass));
  if (!gpu) all.push_back(fuse_tables());
  return all;
}

void run_pipeline(Graph& graph, const std::vector<Pass>& passes, const std::string& dump_dir) {
  if (!dump_dir.empty()) std::filesystem::create_directories(dump_dir);
  int index = 0;
  for (const Pass& pass : passes) {
    with_context([&] { return "pass " + pass.name; }, [&] { run_pass(pass, graph); });
    graph.remove_dead();
    if (!dump_dir.empty()) write_file_atomic(fmt::format("{}/{:02}_{}.ir", dump_dir, index++, pass.name), print(graph));
  }
}

}  // namespace planish
