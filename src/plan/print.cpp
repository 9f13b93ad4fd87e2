#include <sstream>

#include "plan/plan.h"

namespace planish {
namespace {

std::string dims_text(const std::vector<Dim>& dims) { return Shape(dims).str(); }

std::string view_text(const ViewDesc& view) {
  if (view.buffer < 0) return "_";
  const std::string offset = view.offset == Dim(0) ? "" : "+" + view.offset.str();
  return fmt::format("b{}{}:{}{}/{}", view.buffer, offset, data_type_name(view.dtype), dims_text(view.dims),
                     dims_text(view.strides));
}

std::string views_text(const std::vector<ViewDesc>& views) {
  std::string text;
  for (size_t i = 0; i < views.size(); ++i) text += (i > 0 ? ", " : "") + view_text(views[i]);
  return text;
}

std::string_view kind_name(StepKind kind) {
  static constexpr std::string_view kNames[] = {"cpu", "reference", "copy", "control", "plugin", "launch"};
  return kNames[static_cast<size_t>(kind)];
}

void print_steps(const std::vector<Step>& steps, const std::string& indent, std::string& out) {
  for (const Step& step : steps) {
    out += fmt::format("{}{} {} {}.v{}({}) -> {} {} \"{}\"", indent, step.id, kind_name(step.kind), step.kernel,
                       step.version, views_text(step.inputs), views_text(step.outputs), step.params.str(), step.name);
    if (step.workspace.buffer >= 0) out += " workspace " + view_text(step.workspace);
    out += "\n";
    for (const auto& body : step.bodies) {
      out += indent + "  body\n";
      print_steps(body, indent + "    ", out);
    }
  }
}

void print_buffer(size_t index, const BufferDesc& buffer, std::string& out) {
  static constexpr const char* kNames[] = {"constant", "arena", "binding", "dynamic"};
  const char* const kind = kNames[static_cast<size_t>(buffer.kind)];
  out += buffer.kind == BufferKind::dynamic
             ? fmt::format("  b{} {}, {} bytes\n", index, kind, buffer.size.str())
             : fmt::format("  b{} {} {} at {}, {} bytes{}\n", index, kind, buffer.index, buffer.offset, buffer.bytes,
                           buffer.space == MemorySpace::device ? " of the device" : "");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

std::string print(const Plan& plan) {
  std::string out = fmt::format("plan \"{}\" by {} for {} ({})\n", plan.model, plan.producer, plan.target, plan.isa);
  for (const auto& [key, value] : plan.notes) out += fmt::format("note {} = {}\n", key, value);
  for (const Binding& binding : plan.bindings)
    out += fmt::format("{} {} {}\n", binding.is_input ? "input" : "output", binding.name, binding.type.str());
  for (size_t i = 0; i < plan.constants.size(); ++i)
    out +=
        fmt::format("constant {} {} #{}\n", i, plan.constants[i].type().str(), plan.constants[i].content_hash().hex());
  for (const Profile& profile : plan.profiles) {
    out += fmt::format(
        "profile arena {} bytes, live peak {}{}\n", profile.arena_bytes, profile.live_peak_bytes,
        profile.device_arena_bytes == 0 ? "" : fmt::format(", {} bytes of the device", profile.device_arena_bytes));
    for (const auto& [name, info] : profile.symbols)
      out += fmt::format("  symbol {} [{}, {}, {}]\n", name, info.range.min, info.range.opt, info.range.max);
    for (const Guard& guard : profile.guards)
      out += fmt::format("  guard {} == {} in {}\n", guard.left.str(), guard.right.str(), guard.where);
    for (size_t i = 0; i < profile.buffers.size(); ++i) print_buffer(i, profile.buffers[i], out);
    print_steps(profile.steps, "  ", out);
  }
  return out;
}

// Longest common subsequence of the lines.
std::string diff(const Plan& before, const Plan& after) {
  const auto a = lines_of(print(before)), b = lines_of(print(after));
  std::vector<std::vector<uint32_t>> length(a.size() + 1, std::vector<uint32_t>(b.size() + 1, 0));
  for (size_t i = a.size(); i-- > 0;)
    for (size_t j = b.size(); j-- > 0;)
      length[i][j] = a[i] == b[j] ? length[i + 1][j + 1] + 1 : std::max(length[i + 1][j], length[i][j + 1]);
  std::string out;
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j])
      ++i, ++j;
    else if (j == b.size() || (i < a.size() && length[i + 1][j] >= length[i][j + 1]))
      out += "-" + a[i++] + "\n";
    else
      out += "+" + b[j++] + "\n";
  }
  return out;
}

}  // namespace planish
