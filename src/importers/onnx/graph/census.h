#pragma once
// What a model needs and nobody here takes.

#include <vector>

#include "importers/onnx/import.h"
#include "importers/onnx/wire/model.h"

namespace planish::onnx {

std::vector<UnsupportedNode> census_of(const wire::Model& model);

}  // namespace planish::onnx
