#include "conformance/classes.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace planish::conformance {
namespace {

constexpr int64_t kString = 8, kFirstNarrow = 17;  // float8, int4, float4, int2 and what follows them

bool in_domain(const ModelFacts& facts, const std::string& domain) {
  return std::any_of(facts.ops.begin(), facts.ops.end(),
                     [&](const std::string& op) { return op.compare(0, domain.size() + 1, domain + ".") == 0; });
}

bool has_op(const ModelFacts& facts, std::initializer_list<const char*> ops) {
  return std::any_of(ops.begin(), ops.end(), [&](const char* op) { return facts.ops.count(op) > 0; });
}

bool handles_sequences(const ModelFacts& facts) {
  return facts.holds_collections || std::any_of(facts.ops.begin(), facts.ops.end(), [](const std::string& op) {
           return op.find("Sequence") != std::string::npos || op.find("Optional") != std::string::npos;
         });
}

}  // namespace

ClassTable read_classes(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot open the table of classes");
  ClassTable table;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream columns(line);
    std::string suite, name, kind;
    std::getline(columns, suite, '\t');
    std::getline(columns, name, '\t');
    std::getline(columns, kind, '\t');
    table[suite + "/" + name] = kind;
  }
  return table;
}

std::string class_of(const ModelFacts& facts) {
  if (in_domain(facts, "ai.onnx.preview.training")) return "training";
  if (in_domain(facts, "ai.onnx.preview")) return "preview";
  if (in_domain(facts, "ai.onnx.ml")) return "ml";
  if (has_op(facts, {"ImageDecoder"})) return "image";
  if (has_op(facts,
             {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}))
    return "random";
  if (!facts.types.empty() && *facts.types.rbegin() >= kFirstNarrow) return "lowbit";
  if (facts.types.count(kString) > 0 || has_op(facts, {"TfIdfVectorizer"})) return "string";
  return handles_sequences(facts) ? "sequence" : "core";
}

}  // namespace planish::conformance
