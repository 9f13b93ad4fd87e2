// Names and sentences of errors; the last one of each thread.

#include <array>
#include <cctype>
#include <cstring>
#include <string>

#include "cudart/call.h"

namespace planish::cudart {
namespace {

struct ErrorRow {
  cudaError_t error;
  const char* name;
};
constexpr ErrorRow kErrorRows[] = {{cudaSuccess, "cudaSuccess"},
#define PLANISH_ROW(name, value) {cudaError##name, "cudaError" #name},
                                   PLANISH_CUDA_ERRORS(PLANISH_ROW)
#undef PLANISH_ROW
};
constexpr size_t kErrorCount = sizeof kErrorRows / sizeof *kErrorRows;

struct Sentence {
  cudaError_t error;
  const char* text;
};
// Where the words of the name are not what programs and people look for.
constexpr Sentence kSentences[] = {
    {cudaSuccess, "no error"},
    {cudaErrorInvalidValue, "invalid argument"},
    {cudaErrorMemoryAllocation, "out of memory"},
    {cudaErrorInitializationError, "initialization error"},
    {cudaErrorInvalidPitchValue, "invalid pitch argument"},
    {cudaErrorInvalidSymbol, "invalid device symbol"},
    {cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy"},
    {cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorNoDevice, "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "invalid device ordinal"},
    {cudaErrorNoKernelImageForDevice, "no kernel image is available for execution on the device"},
    {cudaErrorNotReady, "device not ready"},
    {cudaErrorIllegalAddress, "an illegal memory access was encountered"},
    {cudaErrorLaunchFailure, "unspecified launch failure"},
    {cudaErrorNotPermitted, "operation not permitted"},
    {cudaErrorNotSupported, "operation not supported"},
    {cudaErrorHostMemoryAlreadyRegistered, "part or all of the requested memory range is already mapped"},
    {cudaErrorHostMemoryNotRegistered, "pointer does not correspond to a registered memory region"},
    {cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "operation failed due to a previous error during capture"},
    {cudaErrorUnknown, "unknown error"},
};

// "cudaErrorInvalidResourceHandle" → "invalid resource handle"
std::string words_of(const char* name) {
  std::string words;
  for (const char* c = name + std::strlen("cudaError"); *c != '\0'; ++c) {
    const bool upper = std::isupper(static_cast<unsigned char>(*c)) != 0;
    if (upper && !words.empty() && std::islower(static_cast<unsigned char>(c[-1]))) words += ' ';
    words += static_cast<char>(std::tolower(static_cast<unsigned char>(*c)));
  }
  return words;
}

std::array<std::string, kErrorCount> sentences() {
  std::array<std::string, kErrorCount> result;
  for (size_t i = 0; i < kErrorCount; ++i) {
    if (kErrorRows[i].error != cudaSuccess) result[i] = words_of(kErrorRows[i].name);
    for (const Sentence& sentence : kSentences)
      if (sentence.error == kErrorRows[i].error) result[i] = sentence.text;
  }
  return result;
}

size_t index_of(cudaError_t error) {
  size_t i = 0;
  while (i < kErrorCount && kErrorRows[i].error != error) ++i;
  return i;
}

}  // namespace

cudaError_t& last_error() {
  thread_local cudaError_t last = cudaSuccess;
  return last;
}

cudaError_t error_in_flight() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    return error.code() == Code::out_of_memory ? cudaErrorMemoryAllocation : cudaErrorUnknown;
  } catch (const std::bad_alloc&) {
    return cudaErrorMemoryAllocation;
  } catch (...) {
    return cudaErrorUnknown;
  }
}

}  // namespace planish::cudart

using namespace planish::cudart;

extern "C" {

cudaError_t cudaPeekAtLastError() {
  PLANISH_FORWARD(cudaPeekAtLastError);
  return last_error();
}
cudaError_t cudaGetLastError() {
  PLANISH_FORWARD(cudaGetLastError);
  return std::exchange(last_error(), cudaSuccess);
}
const char* cudaGetErrorName(cudaError_t error) {
  const size_t i = index_of(error);
  return i < kErrorCount ? kErrorRows[i].name : "unrecognized error code";
}
const char* cudaGetErrorString(cudaError_t error) {
  static const auto& texts = *new std::array<std::string, kErrorCount>(sentences());
  const size_t i = index_of(error);
  return i < kErrorCount ? texts[i].c_str() : "unrecognized error code";
}

}  // extern "C"
