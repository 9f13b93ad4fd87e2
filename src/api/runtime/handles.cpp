#include "api/runtime/handles.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "base/checked.h"

namespace planish::api {
namespace {

static_assert(static_cast<int>(Code::internal) == PLANISH_INTERNAL && static_cast<int>(Code::busy) == PLANISH_BUSY);
static_assert(static_cast<int>(DataType::string) == PLANISH_STRING && static_cast<int>(DataType::i64) == PLANISH_I64);
static_assert(static_cast<int>(DataType::f8e4m3fn) == PLANISH_F8E4M3FN &&
              static_cast<int>(kLastDataType) == PLANISH_U2);
static_assert(kMaxRank == PLANISH_MAX_RANK);

std::string& last_error() {
  thread_local std::string text;
  return text;
}

}  // namespace

planish_status remember(Code code, const char* text) noexcept {
  try {
    last_error() = text;
  } catch (const std::bad_alloc&) {
    last_error().clear();
  }
  return static_cast<planish_status>(code);
}

planish_status remember(const Status& status) noexcept {
  return status.ok() ? PLANISH_OK : remember(status.code(), status.message());
}

planish_status remember_exception() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    return remember(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return remember(Code::out_of_memory, "out of memory");
  } catch (const std::exception& error) {
    return remember(Code::internal, error.what());
  } catch (...) {
    return remember(Code::internal, "an exception of unknown type");
  }
}

std::shared_ptr<const std::byte> aligned_copy(std::span<const std::byte> bytes) {
  const auto size = static_cast<size_t>(align_up(static_cast<int64_t>(std::max<size_t>(bytes.size(), 1)), kAlignment));
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kAlignment, size));
  if (memory == nullptr) fail(Code::out_of_memory, "no memory for {} bytes", size);
  std::memcpy(memory, bytes.data(), bytes.size());
  return {memory, [](const std::byte* p) { std::free(const_cast<std::byte*>(p)); }};
}

std::shared_ptr<Device> device_or_new(const planish_device* device, int threads, const char* kind) {
  if (threads < 0) fail(Code::invalid_argument, "{} threads; 0 means one per usable core", threads);
  return device != nullptr ? device->device : create_device(kind, threads);
}

}  // namespace planish::api

extern "C" const char* planish_last_error(void) { return planish::api::last_error().c_str(); }
