#include "compile/calibrate/table.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <iterator>
#include <set>

#include "base/error.h"

namespace planish {
namespace {

constexpr std::string_view kPrefix = "TRT-", kMean = " mean", kRange = " range", kLargest = " largest",
                           kPower = " power", kWeights = " weights", kScales = " scales";

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

std::vector<float> figures_of(std::string_view what, std::string_view name, std::string_view list,
                              bool not_negative = false) {
  std::vector<float> figures;
  while (!list.empty()) {
    const size_t blank = std::min(list.find(' '), list.size());
    figures.push_back(number_of(what, name, list.substr(0, blank)));
    if (!std::isfinite(figures.back()))
      fail(Code::invalid_argument, "a {} of tensor '{}' is {}; finite numbers are accepted", what, name,
           figures.back());
    if (not_negative && figures.back() < 0)
      fail(Code::invalid_argument, "a {} of tensor '{}' is {}; 0 or more is accepted", what, name, figures.back());
    list.remove_prefix(std::min(blank + 1, list.size()));
  }
  return figures;
}

std::vector<int8_t> numbers_of(std::string_view name, std::string_view digits) {
  std::vector<int8_t> weights;
  for (size_t at = 0; at < digits.size(); at += 2) {
    const std::string_view two = digits.substr(at, 2);
    uint8_t bits = 0;
    const auto [stop, error] = std::from_chars(two.data(), two.data() + two.size(), bits, 16);
    if (two.size() != 2 || error != std::errc() || stop != two.data() + 2 || bits == 0x80)
      fail(Code::invalid_argument, "weight {} of layer '{}' is '{}'; two hexadecimal digits, not 80, are accepted",
           at / 2, name, two);
    weights.push_back(static_cast<int8_t>(bits));
  }
  return weights;
}

// Lines of our own; false: it is none of them.
bool take_own(CalibrationTable& table, std::string_view name, std::string_view rest) {
  const auto is = [&](std::string_view ending) {
    if (!name.ends_with(ending)) return false;
    name.remove_suffix(ending.size());
    return true;
  };
  const auto figures = [&](std::string_view what) { return figures_of(what, name, rest); };
  if (is(kMean)) {
    table.means[std::string(name)] = figures("mean");
  } else if (is(kRange)) {
    const auto range = figures("bound");
    if (range.size() != 2 || !(range[0] <= range[1]))
      fail(Code::invalid_argument, "the range of tensor '{}' is '{}'; the least and the greatest element are accepted",
           name, rest.substr(0, 64));
    table.ranges[std::string(name)] = {range[0], range[1]};
  } else if (is(kLargest)) {
    table.channels[std::string(name)].largest = figures_of("magnitude", name, rest, true);
  } else if (is(kPower)) {
    table.channels[std::string(name)].power = figures_of("mean square", name, rest, true);
  } else if (is(kScales)) {
    for (float scale : table.weight_scales[std::string(name)] = figures("scale"))
      if (!std::isnormal(scale) || scale < 0)
        fail(Code::invalid_argument, "a scale of layer '{}' is {}; normal numbers above 0 are accepted", name, scale);
  } else if (is(kWeights)) {
    table.weights[std::string(name)] = numbers_of(name, rest);
  } else {
    return false;
  }
  return true;
}

void print_figures(std::string& text, const std::string& name, std::string_view what, const std::vector<float>& list) {
  text += fmt::format("{}{}:", name, what);
  for (float figure : list) text += fmt::format(" {:08x}", std::bit_cast<uint32_t>(figure));
  text += "\n";
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
  for (const auto& [name, means] : table.means) print_figures(text, name, kMean, means);
  for (const auto& [name, range] : table.ranges) print_figures(text, name, kRange, {range.first, range.second});
  for (const auto& [name, channels] : table.channels) {
    print_figures(text, name, kLargest, channels.largest);
    print_figures(text, name, kPower, channels.power);
  }
  for (const auto& [name, scales] : table.weight_scales) print_figures(text, name, kScales, scales);
  for (const auto& [name, weights] : table.weights) {
    text += fmt::format("{}{}: ", name, kWeights);
    for (int8_t number : weights) fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<uint8_t>(number));
    text += "\n";
  }
  return text;
}

CalibrationTable parse_table(std::string_view text) {
  CalibrationTable table;
  table.algorithm = algorithm_of(next_line(text));
  std::set<std::string> own;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.empty()) continue;
    const size_t colon = line.rfind(": ");
    if (colon == std::string_view::npos || colon == 0)
      fail(Code::invalid_argument, "the calibration table has a line '{}'; NAME: HEXADECIMAL is accepted",
           line.substr(0, 64));
    std::string name(line.substr(0, colon));
    if (take_own(table, name, line.substr(colon + 2))) {
      if (!own.insert(name).second) fail(Code::invalid_argument, "the calibration table has two lines '{}'", name);
      continue;
    }
    if (!table.scales.emplace(name, scale_of(name, line.substr(colon + 2))).second)
      fail(Code::invalid_argument, "the calibration table has two scales of tensor '{}'", name);
  }
  return table;
}

}  // namespace planish
