#include "cli/help.h"

#include <CLI/CLI.hpp>
#include <map>
#include <sstream>

namespace planish::cli {
namespace {

constexpr size_t kWidth = 100, kIndent = 30;

// In characters: of UTF-8 the bytes that begin one.
size_t columns_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// What flags take; of those that are not here the type says enough.
const std::map<std::string, std::string>& values() {
  static const std::map<std::string, std::string> names = {{"--affinity", "LIST"},
                                                           {"--against", "FILE"},
                                                           {"--calibrate", "PATH"},
                                                           {"--calibration", "FILE"},
                                                           {"--compare", "WITH"},
                                                           {"--data", "PATH"},
                                                           {"--device", "NAME"},
                                                           {"--dot", "FILE"},
                                                           {"--dump-graph", "FOLDER"},
                                                           {"--exclude", "NAME"},
                                                           {"--form", "NAME"},
                                                           {"--image", "NAME:RECIPE"},
                                                           {"--images", "FOLDER"},
                                                           {"--input", "NAME=FILE"},
                                                           {"--json", "FILE"},
                                                           {"--labels", "FILE"},
                                                           {"--layer-precision", "NAME=TYPE"},
                                                           {"--method", "NAME"},
                                                           {"--output", "FILE"},
                                                           {"--output-dir", "FOLDER"},
                                                           {"--output-name", "NAME"},
                                                           {"--plugins", "FILE"},
                                                           {"--precision", "LIST"},
                                                           {"--shape", "NAME=EXTENTS"},
                                                           {"--target", "LEVEL"},
                                                           {"--timing-cache", "FILE"},
                                                           {"--tune", "HOW"}};
  return names;
}

class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() {
    column_width(kIndent);
    label("TEXT", "VALUE");
    label("INT", "N");
    label("FLOAT", "X");
  }

  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    return CLI::detail::find_and_replace(CLI::Formatter::make_help(app, std::move(name), mode), "\n\n\n", "\n\n");
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0 || option->get_positional()) return {};
    const auto named = values().find("--" + option->get_single_name());
    return " " + (named != values().end() ? named->second : get_label(option->get_type_name()));
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    std::string text = option->get_description();
    if (option->get_required() && option->nonpositional()) text += " (required)";
    if (option->get_type_size() != 0 && !option->get_default_str().empty())
      text += " (default " + option->get_default_str() + ")";
    return text;
  }

  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    const std::string name = "  " + make_option_name(option, is_positional) + make_option_opts(option);
    return name + below(make_option_desc(option), columns_of(name));
  }

 private:
  // The text from column kIndent on, where `used` columns of the first line are taken.
  static std::string below(const std::string& text, size_t used) {
    const std::string new_line = "\n" + std::string(kIndent, ' ');
    std::string out = used + 2 > kIndent ? new_line : std::string(kIndent - used, ' ');
    std::istringstream words(text);
    size_t at = kIndent;
    for (std::string word; words >> word; at += columns_of(word) + 1) {
      if (at > kIndent && at + columns_of(word) > kWidth) {
        out += new_line;
        at = kIndent;
      } else if (at > kIndent) {
        out += ' ';
      }
      out += word;
    }
    return out + "\n";
  }
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_formatter() { return std::make_shared<HelpFormatter>(); }

}  // namespace planish::cli
