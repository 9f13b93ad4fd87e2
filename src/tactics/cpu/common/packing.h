#pragma once
// Weights as the matrix kernels read them, epilogues as their parameters, and estimates.

#include "kernels/gemm.h"
#include "tactics/tactic.h"

namespace planish::tactics::cpu {

int64_t panel_of(Isa isa);

// The narrowest of f16, bf16 and f32 that holds every element of an f32 tensor exactly.
DataType exact_storage(const Tensor& weights);

// A number that T holds exactly.
template <class T>
T stored_as(float value) {
  if constexpr (std::is_same_v<T, Half>)
    return to_half(value);
  else if constexpr (std::is_same_v<T, BFloat16>)
    return to_bfloat16(value);
  else
    return value;
}

// weight(g, column, tap, channel) for every element -> [group][panel][tap][channel][panel_width], stored as T.
template <class T = float, class Weight>
Tensor pack_panels(Isa isa, int64_t group, int64_t columns, int64_t taps, int64_t channels, Weight weight) {
  const int64_t width = panel_of(isa), panels = (columns + width - 1) / width;
  return Tensor::make(data_type_of<T>(), {group, panels, taps, channels, width}, [&](std::byte* out) {
    auto* to = reinterpret_cast<T*>(out);
    for (int64_t g = 0; g < group; ++g)
      for (int64_t p = 0; p < panels; ++p)
        for (int64_t t = 0; t < taps; ++t)
          for (int64_t c = 0; c < channels; ++c)
            for (int64_t j = 0; j < width; ++j)
              *to++ = stored_as<T>(p * width + j < columns ? weight(g, p * width + j, t, c) : 0.f);
  });
}

// The epilogue of `form` as parameters: a per-channel addition becomes the bias, relu and clip become a clamp,
// anything else stays a program. `bias`: the tensor to pass as operand 2, not present() when there is none.
struct EpilogueParams {
  Tensor bias;
  std::vector<ValueId> extras;
  std::string program;
  bool residual = false;  // the only extra is added; its elements along the channels must be adjacent
  bool clamped = false;
  double low = 0, high = 0;
};
// `channels`: elements of a bias, along axis `channels_axis` of the result. `bias_operand`: the anchor's own bias
// value, invalid when it has none.
EpilogueParams epilogue_params(const TacticQuery& query, const EpilogueForm& form, ValueId bias_operand,
                               int64_t channels, int channels_axis);

// Whether kernels end sums by it in registers, before they are stored: no program, or an activation whose addend lies
// as the result does.
bool ends_in_registers(const TacticQuery& query, const EpilogueParams& epilogue);

// Chunks of rows worth trying for a product of these extents: the likely best first.
std::vector<int64_t> row_block_choices(Isa isa, int threads, double rows, int64_t depth, int64_t columns);

// Tasks of a product that packs its rows, each for many panels; 0: too few rows or panels share the packed ones.
int64_t packing_slots(const TacticQuery& query, double rows, int64_t columns);
double packing_efficiency(const TacticQuery& query);

// Position of an operand of the node; Error(internal) when it has none such.
size_t operand_index(const Node& node, ValueId id);

void apply(const EpilogueParams& epilogue, GemmAttrs& attrs);

// fp32 elements of a vector.
double vector_lanes(Isa isa);

// Microseconds: the larger of arithmetic and traffic, plus the step itself.
double estimate_us(const TacticQuery& query, double flops, double bytes, double efficiency);
double typical_elements(const TacticQuery& query, const Shape& shape);

}  // namespace planish::tactics::cpu
