#include "ops/common/window.h"

#include <algorithm>

namespace planish::ops {

void check_window(const std::vector<int64_t>& list, size_t spatial, int64_t least, const char* name) {
  if (!list.empty() && list.size() != spatial)
    fail(Code::invalid_model, "attribute '{}' has {} elements, {} are accepted", name, list.size(), spatial);
  for (int64_t value : list)
    if (value < least || value > INT32_MAX)
      fail(Code::invalid_model, "attribute '{}' holds {}, {} to {} is accepted", name, value, least, INT32_MAX);
}

void check_auto_pad(const InferContext& context, const std::string& auto_pad) {
  context.require_choice("auto_pad", auto_pad, {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"});
}

namespace {

// The value for the smallest shapes that the symbols' ranges allow.
// Nothing is known of it: what will be too small is said when ranges are given.
bool is_open(Dim dim, const SymbolTable& symbols) {
  std::vector<std::string> names;
  dim.collect_symbols(names);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto at = symbols.find(name);
    return at != symbols.end() && at->second.range == kAnyExtent;
  });
}

int64_t least_value(Dim dim, const SymbolTable& symbols) {
  std::vector<std::string> names;
  dim.collect_symbols(names);
  SymbolValues values;
  for (const std::string& name : names) {
    const auto at = symbols.find(name);
    values.emplace(name, at == symbols.end() ? 0 : at->second.range.min);
  }
  return dim.evaluate(values);
}

}  // namespace

Dim window_extent(const InferContext& context, const std::string& auto_pad, const std::vector<int64_t>& pads,
                  size_t axis, size_t spatial, Dim in, int64_t kernel, int64_t stride, int64_t dilation,
                  bool ceil_mode) {
  const Dim reach = dilation * (kernel - 1) + 1;
  if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") return ceil_div(in, stride);
  const bool padded = auto_pad != "VALID";
  const Dim begin = padded ? at_or(pads, axis, 0) : 0, end = padded ? at_or(pads, axis + spatial, 0) : 0;
  const Dim room = in + begin + end - reach;
  if (!depends_on_data(room, context.symbols()) && !is_open(room, context.symbols()) &&
      least_value(room, context.symbols()) < 0)
    fail(Code::invalid_model, "a window of {} does not fit into {}{} with padding {} and {}", reach.str(), in.str(),
         in.is_constant() ? "" : fmt::format(", at least {} for the given ranges,", least_value(in, context.symbols())),
         begin.str(), end.str());
  if (!ceil_mode) return floor_div(room, stride) + 1;
  return min(ceil_div(room, stride) + 1, floor_div(in + begin - 1, stride) + 1);
}

}  // namespace planish::ops
