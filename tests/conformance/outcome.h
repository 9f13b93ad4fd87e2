#pragma once
// What became of a case, and how it travels from a worker.

#include <string>
#include <string_view>

namespace planish::conformance {

enum class Verdict { pass, refused, wrong, crash, hang };
enum class DynamicVerdict { untried, right, refused };  // a wrong answer makes the case wrong

struct Outcome {
  Verdict verdict = Verdict::refused;
  std::string reason;  // of what is not a pass: one line
  DynamicVerdict dynamic = DynamicVerdict::untried;
  std::string dynamic_reason;
  int milliseconds = 0;
};

std::string_view verdict_name(Verdict verdict);
Verdict parse_verdict(std::string_view name);

std::string to_line(size_t index, const Outcome& outcome);  // without the line break
size_t from_line(const std::string& line, Outcome& outcome);

}  // namespace planish::conformance
