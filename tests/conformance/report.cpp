#include "conformance/report.h"

#include <fmt/core.h>

#include <fstream>
#include <stdexcept>

#include "conformance/compare.h"
#include "conformance/summary.h"

namespace planish::conformance {
namespace {

std::string head() {
  return "# ONNX conformance\n\n"
         "The backend suite of ONNX, run by `./dev test conformance`, which also writes this page (`--update`). A case "
         "passes when it imports, "
         "builds and gives the\nexpected results, when its plan, saved and loaded, gives the same bits, and when the "
         "same model with dynamic "
         "extents (each between half and twice the case's)\nis refused with a reason or gives the expected results as "
         "well. Crashes and hangs "
         "are errors.\n\n"
         "Tolerance: " +
         tolerance_text() + ".\n";
}

std::string class_table(const ClassCounts& counts) {
  std::string text = "\n| class | cases | pass | % |\n|---|---|---|---|\n";
  const auto row = [&](const std::string& name, const Count& count) {
    text += fmt::format("| {} | {} | {} | {:.1f} |\n", name, count.cases, count.passed, count.percent());
  };
  for (const auto& [name, count] : counts.classes) row(name, count);
  row("**all**", counts.all);
  if (counts.light.cases > 0) row("light models (beside the suite)", counts.light);
  return text;
}

std::string dynamic_line(const DynamicCounts& counts) {
  return fmt::format(
      "\nOf the cases that pass, {} also give the right results with dynamic extents, {} are refused with a reason, {} "
      "have "
      "no extent to make dynamic.\n",
      counts.right, counts.refused, counts.untried);
}

std::string reason_table(const std::vector<Result>& results) {
  std::string text = "\n## What does not pass\n\n| reason | cases | which |\n|---|---|---|\n";
  for (const auto& [reason, cases] : by_reason(results)) {
    std::string names;
    for (const std::string& id : cases) names += (names.empty() ? "" : ", ") + id.substr(id.find('/') + 1);
    text += fmt::format("| {} | {} | {} |\n", reason, cases.size(), names);
  }
  return text;
}

}  // namespace

void write_report(const std::string& path, const std::vector<Result>& results) {
  std::ofstream file(path);
  file << head() << class_table(count_classes(results)) << dynamic_line(count_dynamic(results))
       << reason_table(results);
  if (!file.flush()) throw std::runtime_error(path + ": cannot write the report");
}

}  // namespace planish::conformance
