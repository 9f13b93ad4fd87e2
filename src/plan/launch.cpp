#include "plan/launch.h"

#include <charconv>

#include "plan/plan.h"

namespace planish {
namespace {

constexpr int64_t kMostThreads = 1024, kMostShared = 256 << 10, kMostCluster = 16;

bool is_operand(std::string_view text, Argument& argument) {
  if (text.size() < 2 || (text[0] != 'i' && text[0] != 'o')) return false;
  argument.is_output = text[0] == 'o';
  const auto [stop, error] = std::from_chars(text.data() + 1, text.data() + text.size(), argument.index);
  return error == std::errc() && stop == text.data() + text.size();
}

size_t count_of(const Attrs& params, const char* name) {
  const AttrValue* value = params.find(name);
  if (value == nullptr) return 0;
  if (const auto* dims = std::get_if<std::vector<Dim>>(value)) return dims->size();
  if (const auto* floats = std::get_if<std::vector<double>>(value)) return floats->size();
  if (const auto* ints = std::get_if<std::vector<int64_t>>(value)) return ints->size();
  fail(Code::invalid_plan, "'{}' is no list of numbers", name);
}

void check_operand(const Step& step, const Argument& argument) {
  const auto& list = argument.is_output ? step.outputs : step.inputs;
  if (argument.index >= list.size() || list[argument.index].buffer < 0)
    fail(Code::invalid_plan, "an argument names {} {} of {}", argument.is_output ? "output" : "input", argument.index,
         list.size());
}

void check_block(const std::vector<int64_t>& block, const std::vector<int64_t>& cluster) {
  int64_t threads = 1, blocks = 1;
  for (int64_t extent : block) threads = extent < 1 || extent > kMostThreads ? kMostThreads + 1 : threads * extent;
  for (int64_t extent : cluster) blocks = extent < 1 || extent > kMostCluster ? kMostCluster + 1 : blocks * extent;
  if (block.size() != 3 || threads > kMostThreads) fail(Code::invalid_plan, "a block that is none");
  if ((!cluster.empty() && cluster.size() != 3) || blocks > kMostCluster)
    fail(Code::invalid_plan, "a cluster that is none");
}

}  // namespace

Argument parse_argument(const std::string& text) {
  Argument argument;
  const size_t colon = text.find(':');
  const std::string_view word = std::string_view(text).substr(0, colon);
  const bool operand = colon != std::string::npos && is_operand(std::string_view(text).substr(colon + 1), argument);
  static constexpr std::string_view kWords[] = {"elementwise", "view", "spread", "pointer",
                                                "int",         "long", "float",  "map"};
  for (size_t i = 0; i < std::size(kWords); ++i) {
    argument.kind = static_cast<ArgumentKind>(i);
    const bool takes_operand = i >= 1 && i <= 3;
    if (word == kWords[i] && operand == takes_operand && (operand || colon == std::string::npos)) return argument;
  }
  fail(Code::invalid_plan, "an argument '{}'", text);
}

void check_launch(const Step& step) {
  const Attrs& params = step.params;
  if (!params.has("image") || params.get<Tensor>("image").byte_count() == 0)
    fail(Code::invalid_plan, "a launch without an image");
  if (count_of(params, "grid") != 3) fail(Code::invalid_plan, "a grid of {} extents", count_of(params, "grid"));
  check_block(params.get<std::vector<int64_t>>("block"), params.get_or<std::vector<int64_t>>("cluster", {}));
  const int64_t shared = params.get_or<int64_t>("shared", 0);
  if (shared < 0 || shared > kMostShared) fail(Code::invalid_plan, "{} bytes of shared memory", shared);
  size_t values = 0, floats = 0, maps = 0;
  for (const std::string& text : params.get<std::vector<std::string>>("arguments")) {
    const Argument argument = parse_argument(text);
    switch (argument.kind) {
      case ArgumentKind::int32:
      case ArgumentKind::int64:
        ++values;
        break;
      case ArgumentKind::float32:
        ++floats;
        break;
      case ArgumentKind::map:
        ++maps;
        break;
      case ArgumentKind::elementwise:
        for (size_t i = 0; i < step.inputs.size(); ++i) check_operand(step, {ArgumentKind::view, false, i});
        check_operand(step, {ArgumentKind::view, true, 0});
        break;
      default:
        check_operand(step, argument);
    }
  }
  if (values != count_of(params, "values") || floats != count_of(params, "floats") ||
      maps * kMapNumbers != count_of(params, "maps"))
    fail(Code::invalid_plan, "{} integers, {} floats and {} tensor maps are arguments, {}, {} and {} numbers are given",
         values, floats, maps, count_of(params, "values"), count_of(params, "floats"), count_of(params, "maps"));
}

}  // namespace planish
