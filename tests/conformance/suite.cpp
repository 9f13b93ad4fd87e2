#include "conformance/suite.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "conformance/classes.h"

namespace planish::conformance {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSuites[] = {"node", "simple", "pytorch-converted", "pytorch-operator"};

std::vector<CaseRef> folders_of(const std::string& root, const std::string& suite) {
  std::vector<CaseRef> cases;
  const fs::path folder = fs::path(root) / suite;
  if (!fs::is_directory(folder)) return cases;
  for (const auto& entry : fs::directory_iterator(folder))
    if (fs::exists(entry.path() / "model.onnx") && fs::is_directory(entry.path() / "test_data_set_0"))
      cases.push_back({suite, entry.path().filename().string(), entry.path().string(), ""});
  std::sort(cases.begin(), cases.end(), [](const CaseRef& a, const CaseRef& b) { return a.name < b.name; });
  return cases;
}

std::vector<CaseRef> light_models(const std::string& root) {
  std::vector<CaseRef> cases;
  const fs::path folder = fs::path(root) / kLight;
  if (!fs::is_directory(folder)) return cases;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".onnx")
      cases.push_back({kLight, entry.path().stem().string(), entry.path().string(), kLight});
  std::sort(cases.begin(), cases.end(), [](const CaseRef& a, const CaseRef& b) { return a.name < b.name; });
  return cases;
}

void set_class(CaseRef& ref, const ClassTable& table, Suite& suite) {
  const std::string ruled = class_of(read_facts(read_file(ref.folder + "/model.onnx")));
  const auto at = table.find(ref.id());
  ref.kind = at == table.end() ? ruled : at->second;
  if (at == table.end()) return;
  ++suite.judged;
  if (ref.kind != ruled) suite.disputed.push_back(ref.id() + ": " + ref.kind + ", by the rule " + ruled);
}

}  // namespace

Suite find_cases(const std::string& folder, const std::string& classes, const std::string& filter) {
  const ClassTable table = classes.empty() ? ClassTable() : read_classes(classes);
  const auto wanted = [&](const CaseRef& ref) { return ref.id().find(filter) != std::string::npos; };
  Suite suite;
  for (const char* name : kSuites)
    for (CaseRef& ref : folders_of(folder, name)) {
      if (!wanted(ref)) continue;
      set_class(ref, table, suite);
      suite.cases.push_back(std::move(ref));
    }
  for (CaseRef& ref : light_models(folder))
    if (wanted(ref)) suite.light.push_back(std::move(ref));
  return suite;
}

}  // namespace planish::conformance
