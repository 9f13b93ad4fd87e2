// The contract: a side that the kind says is of the device lies in a known allocation, and nothing reaches beyond the
// allocation that it starts in. Work that runs on a stream may have memory of its own: intermediate values of an
// engine.

#include "cudart/copy.h"

#include <cstring>

namespace planish::cudart {
namespace {

constexpr size_t kStaged = 64 << 10;  // pageable copies into the device up to here do not wait

bool is_empty(const Box& box) { return box.width == 0 || box.height == 0 || box.depth == 0; }

// Bytes from the first to behind the last; false: more than there are addresses.
bool span(const Side& side, const Box& box, size_t row, size_t* bytes) {
  size_t rows = 0, slices = 0;
  return !__builtin_mul_overflow(box.height - 1, side.pitch, &rows) &&
         !__builtin_mul_overflow(box.depth - 1, side.slice, &slices) && !__builtin_add_overflow(rows, slices, bytes) &&
         !__builtin_add_overflow(*bytes, row, bytes);
}

enum class Place { host, device, any };

cudaError_t check_pitches(const Side& side, const Box& box, size_t row) {
  if ((box.height > 1 || box.depth > 1) && side.pitch < row) return cudaErrorInvalidPitchValue;
  if (box.depth > 1 && side.slice < (box.height - 1) * side.pitch + row) return cudaErrorInvalidValue;
  return cudaSuccess;
}

cudaError_t check_side(const Side& side, const Box& box, size_t row, Place place, bool* pageable) {
  size_t bytes = 0;
  if (side.memory == nullptr || !span(side, box, row, &bytes)) return cudaErrorInvalidValue;
  const auto block = memory().find(side.memory);
  *pageable = !block.has_value();
  if (!block) return place == Place::device && !inside().running ? cudaErrorInvalidValue : cudaSuccess;
  if (place == Place::host && block->type == cudaMemoryTypeDevice) return cudaErrorInvalidValue;
  return bytes <= block->bytes_from(side.memory) ? cudaSuccess : cudaErrorInvalidValue;
}

// body(slice, row)
template <class Body>
void for_each_row(const Box& box, Body&& body) {
  for (size_t z = 0; z < box.depth; ++z)
    for (size_t y = 0; y < box.height; ++y) body(z, y);
}

std::byte* row_of(const Side& side, size_t z, size_t y) {
  return static_cast<std::byte*>(side.memory) + z * side.slice + y * side.pitch;
}

void fill_row(std::byte* to, size_t count, unsigned value, unsigned element) {
  if (element == 1) {
    std::memset(to, static_cast<int>(value & 0xff), count);
    return;
  }
  for (size_t i = 0; i < count; ++i) std::memcpy(to + i * element, &value, element);
}

// A small source that the caller may overwrite as soon as the call returns.
Work staged(const Copy& copy) {
  const auto bytes = static_cast<const std::byte*>(copy.from.memory);
  return [copy = copy, own = std::vector<std::byte>(bytes, bytes + copy.box.width)]() mutable {
    copy.from.memory = own.data();
    return copy.run();
  };
}

}  // namespace

cudaError_t Copy::check(Pageable* pageable) const {
  if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault) return cudaErrorInvalidMemcpyDirection;
  if (is_empty(box)) return cudaSuccess;
  for (const Side& side : {to, from})
    if (const cudaError_t error = check_pitches(side, box, box.width)) return error;
  const bool to_host = kind == cudaMemcpyHostToHost || kind == cudaMemcpyDeviceToHost;
  const bool from_host = kind == cudaMemcpyHostToHost || kind == cudaMemcpyHostToDevice;
  const auto place = [&](bool host) {
    return kind == cudaMemcpyDefault ? Place::any : host ? Place::host : Place::device;
  };
  if (const cudaError_t error = check_side(to, box, box.width, place(to_host), &pageable->to)) return error;
  return check_side(from, box, box.width, place(from_host), &pageable->from);
}

cudaError_t Copy::run() const {
  if (is_empty(box)) return cudaSuccess;
  for_each_row(box, [&](size_t z, size_t y) { std::memmove(row_of(to, z, y), row_of(from, z, y), box.width); });
  return cudaSuccess;
}

cudaError_t Fill::check() const {
  if (element != 1 && element != 2 && element != 4) return cudaErrorInvalidValue;
  if (is_empty(box)) return cudaSuccess;
  size_t row = 0;
  if (__builtin_mul_overflow(box.width, static_cast<size_t>(element), &row)) return cudaErrorInvalidValue;
  bool pageable = false;
  const cudaError_t error = check_pitches(to, box, row);
  return error != cudaSuccess ? error : check_side(to, box, row, Place::device, &pageable);
}

cudaError_t Fill::run() const {
  if (is_empty(box)) return cudaSuccess;
  for_each_row(box, [&](size_t z, size_t y) { fill_row(row_of(to, z, y), box.width, value, element); });
  return cudaSuccess;
}

cudaError_t copy_now(const Copy& copy) {
  Copy::Pageable pageable;
  if (const cudaError_t error = copy.check(&pageable)) return error;
  return run_synchronously([&] { return copy.run(); });
}

cudaError_t copy_on(const Copy& copy, cudaStream_t handle) {
  Copy::Pageable pageable;
  if (const cudaError_t error = copy.check(&pageable)) return error;
  const auto stream = streams().find(handle);
  const bool captured = stream != nullptr && stream->capture() != nullptr;
  const bool small =
      pageable.from && !pageable.to && copy.box.width <= kStaged && copy.box.height * copy.box.depth == 1;
  if (small && !captured) return enqueue(handle, cudaGraphNodeTypeMemcpy, staged(copy));
  return enqueue(
      handle, cudaGraphNodeTypeMemcpy, [copy] { return copy.run(); }, pageable.to || pageable.from);
}

cudaError_t fill_now(const Fill& fill) {
  if (const cudaError_t error = fill.check()) return error;
  return run_synchronously([&] { return fill.run(); });
}

cudaError_t fill_on(const Fill& fill, cudaStream_t stream) {
  if (const cudaError_t error = fill.check()) return error;
  return enqueue(stream, cudaGraphNodeTypeMemset, [fill] { return fill.run(); });
}

}  // namespace planish::cudart
