#include "tensorrt/build/onnx_model.h"

namespace planish::tensorrt {
namespace {

using nvonnxparser::ErrorCode;

ErrorCode parser_code(Code code) {
  switch (code) {
    case Code::invalid_model:
      return ErrorCode::kMODEL_DESERIALIZE_FAILED;
    case Code::unsupported:
      return ErrorCode::kUNSUPPORTED_NODE;
    case Code::out_of_memory:
      return ErrorCode::kMEM_ALLOC_FAILED;
    case Code::internal:
      return ErrorCode::kINTERNAL_ERROR;
    default:
      return ErrorCode::kINVALID_VALUE;
  }
}

}  // namespace

void ParserErrors::keep(const char* call, const std::exception& error) {
  const auto* known = dynamic_cast<const Error*>(&error);
  errors_.emplace_back(known == nullptr ? ErrorCode::kINTERNAL_ERROR : parser_code(known->code()), error.what());
  reporter_.error(nvinfer1::ErrorCode::kINVALID_ARGUMENT, std::string(call) + ": " + error.what());
}

Network read_model(const char* path, const void* bytes, size_t size) {
  auto options = detail::sized<planish_import_options>();
  options.path = path;
  options.bytes = bytes;
  options.size = size;
  options.keep_dynamic = 1;
  planish_network* made = nullptr;
  detail::check(planish_network_import_with(&options, &made));
  return Network::take(made);
}

}  // namespace planish::tensorrt
