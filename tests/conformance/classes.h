#pragma once
// The class of a case: core, or what it needs beyond plain tensors of numbers.

#include <map>
#include <string>

#include "conformance/facts.h"

namespace planish::conformance {

// Classes by "suite/case", of a table with the columns suite, case, class, … and a header line.
using ClassTable = std::map<std::string, std::string>;
ClassTable read_classes(const std::string& path);

// lowbit, string, sequence, ml, training, preview, image, random or core, by what the model holds.
std::string class_of(const ModelFacts& facts);

}  // namespace planish::conformance
