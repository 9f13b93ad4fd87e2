// The help, the sections that are printed before a run, and the table of docs/trtexec.md: all from the fields.

#include <fmt/format.h>

#include "trtexec/options.h"

namespace planish::trtexec {
namespace {

constexpr Section kSections[] = {Section::model,     Section::build,  Section::inference,
                                 Section::reporting, Section::system, Section::help};
constexpr size_t kIndent = 37;

void add_help(std::string& text, const Field& field) {
  std::string line = "  " + field.flag + field.value;
  line.resize(std::max(line.size() + 1, kIndent), ' ');
  std::string words = field.help;
  if (field.meaning == Meaning::none) words = "(no meaning here) " + words;
  if (field.meaning == Meaning::refused) words = "(refused) " + words;
  for (size_t begin = 0; begin <= words.size();) {
    const size_t end = std::min(words.find('\n', begin), words.size());
    text += line + words.substr(begin, end - begin) + "\n";
    line.assign(kIndent, ' ');
    begin = end + 1;
  }
}

void add_shapes(std::string& text, const Options& options) {
  for (size_t i = 0; i < options.profiles.size(); ++i)
    for (const auto& [name, range] : options.profiles[i])
      text += fmt::format("Input build shape (profile {}): {}={}+{}+{}\n", i, name, text_of(range.at(0)),
                          text_of(range.at(1)), text_of(range.at(2)));
  if (options.profiles[0].empty()) text += "Input build shapes: model\n";
  if (options.calibration_shapes.empty()) text += "Input calibration shapes: model\n";
}

void add_inference_shapes(std::string& text, const Options& options) {
  for (const auto& [name, extents] : options.shapes)
    text += "Input inference shape : " + name + "=" + text_of(extents) + "\n";
  if (options.shapes.empty()) text += "Input inference shapes: model\n";
}

}  // namespace

std::string title(Section section) {
  static constexpr const char* kTitles[] = {"Model Options",     "Build Options",  "Inference Options",
                                            "Reporting Options", "System Options", "Help"};
  return kTitles[static_cast<size_t>(section)];
}

std::string help_text() {
  std::string text;
  for (Section section : kSections) {
    text += (text.empty() ? "=== " : "\n=== ") + title(section) + " ===\n";
    for (const Field& field : fields())
      if (field.section == section) add_help(text, field);
  }
  return text;
}

std::string describe(const Options& options) {
  std::string text;
  for (Section section : kSections) {
    if (section == Section::help || (section == Section::build && !options.load_engine.empty())) continue;
    text += "=== " + title(section) + " ===\n";
    for (const Field& field : fields())
      if (field.section == section && !field.label.empty()) text += field.label + ": " + field.show(options) + "\n";
    if (section == Section::build) add_shapes(text, options);
    if (section == Section::inference) add_inference_shapes(text, options);
  }
  return text;
}

std::string flags_in_markdown() {
  static constexpr const char* kMeanings[] = {"honoured", "no meaning", "refused"};
  std::string text = "| flag | here | |\n|---|---|---|\n";
  for (const Field& field : fields()) {
    std::string words = field.meaning == Meaning::honoured ? field.help : field.why;
    for (size_t at = 0; (at = words.find('\n', at)) != std::string::npos;) words.replace(at, 1, " ");
    for (size_t at = 0; (at = words.find('|', at)) != std::string::npos; at += 2) words.replace(at, 1, "\\|");
    std::string value = field.value;
    for (size_t at = 0; (at = value.find('|', at)) != std::string::npos; at += 2) value.replace(at, 1, "\\|");
    text +=
        fmt::format("| `{}{}` | {} | {} |\n", field.flag, value, kMeanings[static_cast<size_t>(field.meaning)], words);
  }
  return text;
}

}  // namespace planish::trtexec
