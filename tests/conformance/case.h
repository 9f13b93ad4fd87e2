#pragma once
// A case of the suite: a model, its inputs and the outputs that are expected.

#include <string>
#include <vector>

#include "conformance/array.h"
#include "conformance/facts.h"

namespace planish::conformance {

struct CaseRef {
  std::string suite, name;  // "node", "test_abs"
  std::string folder;       // or the model file, of a light one
  std::string kind;         // its class
  std::string id() const { return suite + "/" + name; }
};

struct NamedArray {
  std::string name;
  Array array;
};

struct Case {
  std::string path;   // of the model
  std::string model;  // its bytes
  std::vector<NamedArray> inputs, outputs;
};

// Files are matched by position. Throws std::exception that says what is not carried.
Case read_case(const CaseRef& ref);

// A model of the folder `light`: the input is i / 150528, the output stands beside it.
Case read_light_case(const CaseRef& ref);

}  // namespace planish::conformance
