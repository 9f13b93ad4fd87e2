// First layers on tensor cores, and depthwise convolutions: kernels over views of any image.

#include "kernels/reference/conv.h"
#include "tactics/cuda/common/depthwise.h"
#include "tactics/cuda/common/direct_conv.h"
#include "tactics/cuda/common/source.h"
#include "tactics/cuda/common/tensor_product.h"

namespace planish::tactics::cuda {
namespace {

constexpr int64_t kMostTaps = 7;

struct DirectConv {
  TensorProduct product;  // rows, extents, epilogue
  EpilogueForm form;
  int64_t group = 1;
};

std::string read_direct(const TacticQuery& query, DirectConv& p) {
  const auto form = epilogue_form(query.graph, query.node);
  if (!form) return "what follows it is not one epilogue";
  p.form = *form;
  return read_windows(query, p.form, p.group, p.product);
}

void offer_depthwise(const TacticQuery& query, CandidateSink& sink, const DirectConv& direct) {
  auto p = std::make_shared<TensorProduct>(direct.product);
  for (const DepthwisePatch& patch : depthwise_patches(query, *p)) {
    Candidate candidate =
        direct_candidate(query, *p, fmt::format("cuda.depthwise.{}x{}", patch.lines, patch.pixels),
                         depthwise_launch(*p, patch, false), kDepthwiseThreads, 0, [p] { return pack_depthwise(*p); });
    candidate.estimated_us = depthwise_us(query, *p, patch);
    sink.offer(std::move(candidate));
  }
}

void propose_tensor_direct(const TacticQuery& query, CandidateSink& sink) {
  DirectConv p;
  const auto refuse = [&](std::string why) { sink.refuse("cuda.direct", std::move(why)); };
  if (std::string why = read_direct(query, p); !why.empty()) return refuse(std::move(why));
  if (std::string why = refuse_direct_types(p.product); !why.empty()) return refuse(std::move(why));
  const TensorProduct& t = p.product;
  if (query.input(t.operand).type.shape.rank() != 4) return refuse("images alone");
  if (t.strides[0] != t.strides[1] || t.dilations[0] != t.dilations[1]) return refuse("strides of two kinds");
  if (t.taps_h > kMostTaps || t.taps_w > kMostTaps || t.strides[0] > 4) return refuse("more than 7 taps");
  if (is_depthwise(t, p.group)) return offer_depthwise(query, sink, p);
  if (p.group != 1) return refuse("neither a first layer nor depthwise");
  if (std::string why = refuse_first(t); !why.empty()) return refuse(std::move(why));
  offer_first(query, sink, std::make_shared<TensorProduct>(t));
}

}  // namespace

void register_tensor_direct(TacticTable& table) { table.add("conv", propose_tensor_direct); }

}  // namespace planish::tactics::cuda
