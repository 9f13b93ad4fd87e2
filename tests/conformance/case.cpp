#include "conformance/case.h"

#include <fmt/core.h>

#include <cstring>
#include <stdexcept>

#include "base/file.h"

namespace planish::conformance {
namespace {

std::vector<NamedArray> read_values(const std::string& folder, const char* what,
                                    const std::vector<ValueFacts>& values) {
  std::vector<NamedArray> arrays;
  for (size_t i = 0; i < values.size(); ++i) {
    const ValueFacts& value = values[i];
    if (value.kind == ValueKind::sequence) throw std::runtime_error("sequences are not carried");
    const std::string path = fmt::format("{}/test_data_set_0/{}_{}.pb", folder, what, i);
    arrays.push_back({value.name, read_array(path, value.kind == ValueKind::optional)});
  }
  return arrays;
}

Array ramp() {
  Array array{PLANISH_F32, {1, 3, 224, 224}, {}};
  std::vector<float> values(150528);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(static_cast<double>(i) / 150528.0);
  array.bytes.resize(values.size() * sizeof(float));
  std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return array;
}

}  // namespace

Case read_case(const CaseRef& ref) {
  Case made;
  made.path = ref.folder + "/model.onnx";
  made.model = read_file(made.path);
  const ModelFacts facts = read_facts(made.model);
  made.inputs = read_values(ref.folder, "input", facts.inputs);
  made.outputs = read_values(ref.folder, "output", facts.outputs);
  return made;
}

Case read_light_case(const CaseRef& ref) {
  Case made;
  made.path = ref.folder;
  made.model = read_file(made.path);
  const ModelFacts facts = read_facts(made.model);
  made.inputs = {{facts.inputs.at(0).name, ramp()}};
  const std::string stem = ref.folder.substr(0, ref.folder.rfind('.'));
  made.outputs = {{facts.outputs.at(0).name, read_array(stem + "_output_0.pb", false)}};
  return made;
}

}  // namespace planish::conformance
