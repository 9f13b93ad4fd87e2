#pragma once
// A TensorProto: its elements as fields of numbers, as bytes, or in a file of their own.

#include <string>

#include "importers/common/wire.h"
#include "importers/onnx/wire/model.h"

namespace planish::onnx::wire {

DataType known_dtype(int64_t number);  // by ONNX's number; Error(unsupported) for what dtype_of does not know
// `name`: null, or what is given the tensor's.
Tensor read_tensor(importers::Reader reader, const Source& source, std::string* name);

}  // namespace planish::onnx::wire
