#include "compile/calibrate/table.h"

#include <bit>
#include <charconv>
#include <cmath>

#include "base/error.h"

namespace planish {
namespace {

constexpr std::string_view kPrefix = "TRT-", kMean = " mean";

std::string_view next_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string algorithm_of(std::string_view header) {
  const size_t dash = header.find('-', kPrefix.size());
  const bool numbered =
      header.starts_with(kPrefix) && dash != std::string_view::npos && dash > kPrefix.size() &&
      header.substr(kPrefix.size(), dash - kPrefix.size()).find_first_not_of("0123456789") == std::string_view::npos;
  if (!numbered || dash + 1 == header.size())
    fail(Code::invalid_argument,
         "the calibration table begins with '{}'; TRT-8601-EntropyCalibration2 is such a header", header.substr(0, 64));
  return std::string(header.substr(dash + 1));
}

float number_of(std::string_view what, std::string_view name, std::string_view digits) {
  uint32_t bits = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
  if (digits.empty() || error != std::errc() || stop != digits.data() + digits.size())
    fail(Code::invalid_argument, "the {} of tensor '{}' is '{}'; the 8 hexadecimal digits of a float are accepted",
         what, name, digits.substr(0, 32));
  return std::bit_cast<float>(bits);
}

std::vector<float> means_of(std::string_view name, std::string_view list) {
  std::vector<float> means;
  while (!list.empty()) {
    const size_t blank = std::min(list.find(' '), list.size());
    means.push_back(number_of("mean", name, list.substr(0, blank)));
    if (!std::isfinite(means.back()))
      fail(Code::invalid_argument, "a mean of tensor '{}' is {}; finite numbers are accepted", name, means.back());
    list.remove_prefix(std::min(blank + 1, list.size()));
  }
  return means;
}

float scale_of(std::string_view name, std::string_view digits) {
  const float scale = number_of("scale", name, digits);
  if (std::bit_cast<uint32_t>(scale) != 0 && (!std::isnormal(scale) || scale < 0))
    fail(Code::invalid_argument, "the scale of tensor '{}' is {}; normal numbers above 0 are accepted", name, scale);
  return scale;
}

}  // namespace

std::string print_table(const CalibrationTable& table) {
  std::string text = fmt::format("TRT-8601-{}\n", table.algorithm);
  for (const auto& [name, scale] : table.scales)
    text += fmt::format("{}: {:08x}\n", name, std::bit_cast<uint32_t>(scale));
  for (const auto& [name, means] : table.means) {
    text += name + std::string(kMean) + ":";
    for (float mean : means) text += fmt::format(" {:08x}", std::bit_cast<uint32_t>(mean));
    text += "\n";
  }
  return text;
}

CalibrationTable parse_table(std::string_view text) {
  CalibrationTable table;
  table.algorithm = algorithm_of(next_line(text));
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.empty()) continue;
    const size_t colon = line.rfind(": ");
    if (colon == std::string_view::npos || colon == 0)
      fail(Code::invalid_argument, "the calibration table has a line '{}'; NAME: HEXADECIMAL is accepted",
           line.substr(0, 64));
    std::string name(line.substr(0, colon));
    if (name.ends_with(kMean)) {
      name.resize(name.size() - kMean.size());
      table.means[name] = means_of(name, line.substr(colon + 2));
      continue;
    }
    if (!table.scales.emplace(name, scale_of(name, line.substr(colon + 2))).second)
      fail(Code::invalid_argument, "the calibration table has two scales of tensor '{}'", name);
  }
  return table;
}

}  // namespace planish
