#include "conformance/outcome.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>

namespace planish::conformance {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"pass", "refused", "wrong", "crash", "hang"};

std::string one_field(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return text;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) { return kNames.at(static_cast<size_t>(verdict)); }

Verdict parse_verdict(std::string_view name) {
  const auto at = std::find(kNames.begin(), kNames.end(), name);
  if (at == kNames.end())
    throw std::runtime_error(fmt::format("'{}' is no verdict; refused, wrong, crash and hang are accepted", name));
  return static_cast<Verdict>(at - kNames.begin());
}

std::string to_line(size_t index, const Outcome& outcome) {
  return fmt::format("{}\t{}\t{}\t{}\t{}\t{}", index, static_cast<int>(outcome.verdict),
                     static_cast<int>(outcome.dynamic), outcome.milliseconds, one_field(outcome.reason),
                     one_field(outcome.dynamic_reason));
}

size_t from_line(const std::string& line, Outcome& outcome) {
  std::istringstream fields(line);
  size_t index = 0;
  int verdict = 0, dynamic = 0;
  fields >> index >> verdict >> dynamic >> outcome.milliseconds;
  fields.ignore();
  std::getline(fields, outcome.reason, '\t');
  std::getline(fields, outcome.dynamic_reason);
  outcome.verdict = static_cast<Verdict>(verdict);
  outcome.dynamic = static_cast<DynamicVerdict>(dynamic);
  return index;
}

}  // namespace planish::conformance
