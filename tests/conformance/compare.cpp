#include "conformance/compare.h"

#include <fmt/core.h>

#include <cmath>

namespace planish::conformance {
namespace {

struct Tolerance {
  double relative, absolute;
};

Tolerance tolerance_of(planish_dtype dtype) {
  return dtype == PLANISH_F16 || dtype == PLANISH_BF16 ? Tolerance{1e-2, 1e-3} : Tolerance{1e-3, 1e-5};
}

bool near(double found, double expected, const Tolerance& tolerance) {
  if (std::isnan(expected) || std::isnan(found)) return std::isnan(expected) && std::isnan(found);
  if (std::isinf(expected) || std::isinf(found)) return found == expected;
  return std::abs(found - expected) <= tolerance.absolute + tolerance.relative * std::abs(expected);
}

std::string floats_apart(const Array& found, const Array& expected) {
  const Tolerance tolerance = tolerance_of(expected.dtype);
  const std::vector<double> a = float_values(found), b = float_values(expected);
  size_t apart = 0, first = 0;
  for (size_t i = 0; i < b.size(); ++i)
    if (!near(a[i], b[i], tolerance) && apart++ == 0) first = i;
  if (apart == 0) return "";
  return fmt::format("{} of {} values differ, the first is {} where {} is expected", apart, b.size(), a[first],
                     b[first]);
}

std::string bytes_apart(const Array& found, const Array& expected) {
  if (found.bytes == expected.bytes) return "";
  const size_t size = std::max<size_t>(planish_dtype_bytes(expected.dtype), 1);
  size_t apart = 0;
  for (size_t at = 0; at + size <= expected.bytes.size() && at + size <= found.bytes.size(); at += size)
    apart += std::memcmp(found.bytes.data() + at, expected.bytes.data() + at, size) != 0 ? 1 : 0;
  return fmt::format("{} of {} values differ", apart, expected.bytes.size() / size);
}

}  // namespace

std::string tolerance_text() {
  return "floats: |found - expected| <= 1e-5 + 1e-3 |expected|; f16 and bf16: <= 1e-3 + 1e-2 |expected|; NaN equals "
         "NaN, "
         "infinities and all other types are equal exactly; element type and extents are equal";
}

std::string difference(const Array& found, const Array& expected) {
  if (found.dtype != expected.dtype || found.extents != expected.extents)
    return fmt::format("{} where {} is expected", type_text(found), type_text(expected));
  return holds_floats(expected) ? floats_apart(found, expected) : bytes_apart(found, expected);
}

}  // namespace planish::conformance
