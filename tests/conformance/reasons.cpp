#include "conformance/reasons.h"

#include <map>
#include <regex>

namespace planish::conformance {
namespace {

struct Rule {
  std::regex found;
  std::string said;  // the whole reason; $1 … are what was found
};

// The first that is found decides.
const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = [] {
    const std::pair<const char*, const char*> texts[] = {
        {"operators that are missing: +([^ ]+)", "no importer of $1"},
        {"element type (\\d+) of ONNX", "element type $1 of ONNX is not carried"},
        {"string elements|strings are not carried", "strings are not carried"},
        {"sequences are not carried|is no tensor of known rank", "sequences are not carried"},
        {"optionals without a tensor", "optionals without a tensor are not carried"},
        {"\\((\\w+), opset \\d+\\).*(computed from data|not fixed)",
         "$1: an operand that decides on extents is computed from data"},
        {"\\((\\w+), opset \\d+\\): (?:node '[^']*' \\(\\w+\\): )?(.*)", "$1: $2"},
    };
    std::vector<Rule> made;
    for (const auto& [found, said] : texts) made.push_back({std::regex(found), said});
    return made;
  }();
  return all;
}

std::string without_names_of_files(const std::string& text) {
  static const std::regex file("[^ ]*\\.(onnx|pb): ");
  return std::regex_replace(text, file, "");
}

// Bars would end a cell of a table.
std::string one_cell(std::string text) {
  for (char& c : text)
    if (c == '|' || c == '\t' || c == '\n') c = ' ';
  constexpr size_t kLongest = 110;
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + " …";
}

// "element type 17": with its name.
std::string with_type_name(const std::string& phrase) {
  static const std::map<std::string, const char*> names = {
      {"14", "complex64"},  {"15", "complex128"},     {"17", "float8e4m3fn"}, {"18", "float8e4m3fnuz"},
      {"19", "float8e5m2"}, {"20", "float8e5m2fnuz"}, {"21", "uint4"},        {"22", "int4"},
      {"23", "float4e2m1"}, {"24", "float8e8m0"},     {"25", "uint2"},        {"26", "int2"}};
  static const std::regex number("element type (\\d+) of ONNX");
  std::smatch match;
  if (!std::regex_search(phrase, match, number)) return phrase;
  const auto at = names.find(match[1]);
  return at == names.end() ? phrase : std::string("element type ") + at->second + match.suffix().str();
}

std::string phrase_of(const std::string& message) {
  std::smatch match;
  for (const Rule& rule : rules())
    if (std::regex_search(message, match, rule.found)) return match.format(rule.said);
  return message;
}

}  // namespace

std::string short_reason(const Result& result) {
  const std::string text = without_names_of_files(result.outcome.reason);
  if (result.outcome.verdict == Verdict::refused) return one_cell(with_type_name(phrase_of(text)));
  return one_cell(std::string(verdict_name(result.outcome.verdict)) + ": " + text);
}

}  // namespace planish::conformance
