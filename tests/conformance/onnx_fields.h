#pragma once
// Field numbers of onnx.proto that the runner reads.

namespace planish::conformance::field {

enum Model { kModelGraph = 7, kModelFunction = 25 };
enum Graph { kGraphNode = 1, kGraphInitializer = 5, kGraphInput = 11, kGraphOutput = 12, kGraphValueInfo = 13 };
enum Function { kFunctionNode = 7 };
enum Node { kNodeInput = 1, kNodeOpType = 4, kNodeAttribute = 5, kNodeDomain = 7 };
enum Attribute {
  kAttributeName = 1,
  kAttributeInt = 3,
  kAttributeTensor = 5,
  kAttributeGraph = 6,
  kAttributeGraphs = 11
};
enum Tensor { kTensorDims = 1, kTensorDataType = 2, kTensorName = 8, kTensorRaw = 9 };
enum Value { kValueName = 1, kValueType = 2 };
enum Type { kTypeTensor = 1, kTypeSequence = 4, kTypeOptional = 9 };
enum TypeTensor { kTypeElement = 1, kTypeShape = 2 };
enum Shape { kShapeDim = 1, kDimParam = 2 };
enum Collection { kOptionalTensor = 3 };

}  // namespace planish::conformance::field
