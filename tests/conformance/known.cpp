#include "conformance/known.h"

#include <fmt/core.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "conformance/reasons.h"

namespace planish::conformance {
namespace {

std::string surprise(const Result& result, const KnownFailures& known) {
  const auto at = known.find(result.ref.id());
  if (at == known.end())
    return result.passed() ? "" : std::string(verdict_name(result.outcome.verdict)) + ": " + result.outcome.reason;
  if (result.passed()) return "passes: remove it from the list of known failures";
  if (result.outcome.verdict != Verdict::refused && at->second.verdict != result.outcome.verdict)
    return fmt::format("was known to be {} and now is {}: {}", verdict_name(at->second.verdict),
                       verdict_name(result.outcome.verdict), result.outcome.reason);
  return "";
}

}  // namespace

KnownFailures read_known(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot open the list of known failures");
  KnownFailures known;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream columns(line);
    std::string id, verdict, reason;
    std::getline(columns, id, '\t');
    std::getline(columns, verdict, '\t');
    std::getline(columns, reason);
    known[id] = {parse_verdict(verdict), reason};
  }
  return known;
}

void write_known(const std::string& path, const std::vector<Result>& results) {
  KnownFailures known = std::filesystem::exists(path) ? read_known(path) : KnownFailures();
  for (const Result& result : results) {
    if (result.passed())
      known.erase(result.ref.id());
    else
      known[result.ref.id()] = {result.outcome.verdict, short_reason(result)};
  }
  std::ofstream file(path);
  file << "# Cases that do not pass: suite/case, verdict, reason. Written by ./dev test conformance --update\n";
  for (const auto& [id, failure] : known)
    file << id << '\t' << verdict_name(failure.verdict) << '\t' << failure.reason << '\n';
  if (!file.flush()) throw std::runtime_error(path + ": cannot write the list of known failures");
}

int print_surprises(const std::vector<Result>& results, const KnownFailures& known) {
  int count = 0;
  for (const Result& result : results)
    if (const std::string why = surprise(result, known); !why.empty()) {
      fmt::print("UNEXPECTED {} {}\n", result.ref.id(), why);
      ++count;
    }
  if (count > 0) fmt::print("{} results that the list of known failures does not foresee\n", count);
  return count;
}

}  // namespace planish::conformance
