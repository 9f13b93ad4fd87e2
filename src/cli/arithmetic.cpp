#include "cli/arithmetic.h"

#include <algorithm>

#include "kernels/mma.h"

namespace planish::cli {
namespace {

constexpr std::string_view kProducts[] = {"mma_",      "conv",      "gemm",        "matmul", "batched_gemm", "winograd",
                                          "depthwise", "attention", "number_gemm", "lstm",   "gru",          "rnn"};

bool is_product(const Step& step) {
  return (step.kind == StepKind::cpu || step.kind == StepKind::reference) &&
         std::any_of(std::begin(kProducts), std::end(kProducts),
                     [&](std::string_view name) { return step.kernel.starts_with(name); });
}

void count(const std::vector<Step>& steps, std::map<std::string, int>& found) {
  for (const Step& step : steps) {
    if (const std::string name = arithmetic_of(step); !name.empty()) ++found[name];
    for (const std::vector<Step>& body : step.bodies) count(body, found);
  }
}

}  // namespace

std::string arithmetic_of(const Step& step) {
  if (!is_product(step)) return {};
  const AttrValue* value = step.params.find("mma");
  const auto* number = value == nullptr ? nullptr : std::get_if<int64_t>(value);
  if (number == nullptr || !is_mma(*number)) return "fp32";
  switch (static_cast<Mma>(*number)) {
    case Mma::dot_bf16:
    case Mma::tile_bf16:
      return "bf16";
    case Mma::tile_tf32:
      return "tf32";
    default:
      return "int8";
  }
}

std::map<std::string, int> arithmetic_of(const Plan& plan) {
  std::map<std::string, int> found;
  count(plan.profiles[0].steps, found);
  return found;
}

std::string text_of(const std::map<std::string, int>& arithmetic) {
  std::string text;
  for (const auto& [name, steps] : arithmetic) text += fmt::format("{}{} in {}", text.empty() ? "" : ", ", steps, name);
  return text.empty() ? "none" : text;
}

std::string above_fp32(std::map<std::string, int> arithmetic) {
  arithmetic.erase("fp32");
  return arithmetic.empty() ? "" : fmt::format(" (of the products {} have a higher peak)", text_of(arithmetic));
}

}  // namespace planish::cli
