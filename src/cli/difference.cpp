#include "cli/difference.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/format.h"

namespace planish::cli {
namespace {

constexpr double kNoise = 1e-6;  // root mean square below which an expected tensor counts as this large

std::vector<int64_t> position_of(size_t index, const std::vector<int64_t>& extents) {
  std::vector<int64_t> position(extents.size());
  for (size_t axis = extents.size(); axis-- > 0;) {
    position[axis] = static_cast<int64_t>(index) % extents[axis];
    index /= static_cast<size_t>(extents[axis]);
  }
  return position;
}

std::string position_text(const std::vector<int64_t>& position) {
  std::string text;
  for (int64_t index : position) text += fmt::format("{}{}", text.empty() ? "" : ",", index);
  return text;
}

// JSON has no infinity: it becomes null.
nlohmann::json number(double value) { return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(); }

}  // namespace

Difference difference_of(const Tensor& found, const Tensor& expected) {
  Difference result;
  result.found_extents = found.extents();
  result.expected_extents = expected.extents();
  if (found.extents() != expected.extents()) {
    result.relative_l2 = result.max_abs = result.mean_abs = INFINITY;
    result.same_extents = false;
    return result;
  }
  const auto a = found.to_doubles(), b = expected.to_doubles();
  double squares = 0, norm = 0, sum = 0;
  size_t worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isfinite(b[i])) norm += b[i] * b[i];
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double delta = std::abs(a[i] - b[i]);
    if (!std::isfinite(delta)) {
      if (result.not_finite++ == 0) worst = i;
      continue;
    }
    squares += delta * delta;
    sum += delta;
    if (delta <= result.max_abs) continue;
    result.max_abs = delta;
    if (result.not_finite == 0) worst = i;
  }
  const auto count = static_cast<double>(a.size());
  result.elements = static_cast<int64_t>(a.size());
  result.rounding = found.dtype() == DataType::f16 ? 0x1p-11 : found.dtype() == DataType::bf16 ? 0x1p-8 : 0;
  if (squares > 0) result.relative_l2 = std::sqrt(squares) / std::max(std::sqrt(norm), kNoise * std::sqrt(count));
  if (!a.empty()) result.mean_abs = sum / count;
  if (result.not_finite > 0) result.relative_l2 = result.max_abs = INFINITY;
  if (result.max_abs > 0) {
    result.worst = position_of(worst, found.extents());
    result.found_there = a[worst];
    result.expected_there = b[worst];
  }
  return result;
}

std::string difference_text(const Difference& d) {
  if (!d.same_extents)
    return fmt::format("extents [{}], [{}] expected", position_text(d.found_extents),
                       position_text(d.expected_extents));
  if (d.max_abs == 0) return "equal";
  std::string text =
      fmt::format("rel L2 {:.2e}  max {:.2e} at [{}] ({:.6g}, {:.6g} expected)  mean {:.2e}", d.relative_l2, d.max_abs,
                  position_text(d.worst), d.found_there, d.expected_there, d.mean_abs);
  if (d.not_finite > 0) text += fmt::format("  {} of {} not finite", d.not_finite, d.elements);
  return text;
}

nlohmann::json difference_json(const Difference& d) {
  return {{"relative_l2", number(d.relative_l2)}, {"max_abs", number(d.max_abs)},
          {"mean_abs", number(d.mean_abs)},       {"worst", d.worst},
          {"found", number(d.found_there)},       {"expected", number(d.expected_there)},
          {"not_finite", d.not_finite},           {"elements", d.elements},
          {"same_extents", d.same_extents}};
}

}  // namespace planish::cli
