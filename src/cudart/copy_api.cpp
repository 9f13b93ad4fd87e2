// Copies and fills: each call says its box and is checked and run by copy.cpp.

#include "cudart/call.h"
#include "cudart/copy.h"

using namespace planish::cudart;

namespace {

Copy plain(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  return {{to}, {const_cast<void*>(from)}, {bytes}, kind};
}
Copy rows(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t height,
          cudaMemcpyKind kind) {
  return {{to, to_pitch}, {const_cast<void*>(from), from_pitch}, {width, height}, kind};
}
Fill fill_rows(void* to, size_t pitch, int value, size_t width, size_t height) {
  return {{to, pitch}, {width, height}, static_cast<unsigned>(value), 1};
}
Fill fill_slices(const cudaPitchedPtr& to, int value, const cudaExtent& extent) {
  return {{to.ptr, to.pitch, to.pitch * to.ysize},
          {extent.width, extent.height, extent.depth},
          static_cast<unsigned>(value),
          1};
}

// A side of a 3-D copy. Arrays are memory of textures, which only a GPU has.
cudaError_t side_of(const cudaPitchedPtr& memory, const cudaPos& at, const void* array, Side* side) {
  if (array != nullptr) return cudaErrorNotSupported;
  if (memory.ptr == nullptr) return cudaErrorInvalidValue;
  const size_t slice = memory.pitch * memory.ysize;
  *side = {static_cast<std::byte*>(memory.ptr) + at.z * slice + at.y * memory.pitch + at.x, memory.pitch, slice};
  return cudaSuccess;
}

cudaError_t slices(const cudaMemcpy3DParms* given, Copy* copy) {
  if (given == nullptr) return cudaErrorInvalidValue;
  const cudaError_t error = side_of(given->dstPtr, given->dstPos, given->dstArray, &copy->to);
  if (error != cudaSuccess) return error;
  copy->box = {given->extent.width, given->extent.height, given->extent.depth};
  copy->kind = given->kind;
  return side_of(given->srcPtr, given->srcPos, given->srcArray, &copy->from);
}

cudaError_t check_devices(int to, int from) { return to == 0 && from == 0 ? cudaSuccess : cudaErrorInvalidDevice; }

}  // namespace

extern "C" {

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, enum cudaMemcpyKind kind) {
  PLANISH_FORWARD(cudaMemcpy, to, from, bytes, kind);
  return call([&] { return copy_now(plain(to, from, bytes, kind)); });
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, enum cudaMemcpyKind kind, cudaStream_t stream) {
  PLANISH_FORWARD(cudaMemcpyAsync, to, from, bytes, kind, stream);
  return call([&] { return copy_on(plain(to, from, bytes, kind), stream); });
}
cudaError_t cudaMemcpyPeer(void* to, int to_device, const void* from, int from_device, size_t bytes) {
  PLANISH_FORWARD(cudaMemcpyPeer, to, to_device, from, from_device, bytes);
  return call([&] {
    const cudaError_t error = check_devices(to_device, from_device);
    return error != cudaSuccess ? error : copy_now(plain(to, from, bytes, cudaMemcpyDeviceToDevice));
  });
}
cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device, size_t bytes,
                                cudaStream_t stream) {
  PLANISH_FORWARD(cudaMemcpyPeerAsync, to, to_device, from, from_device, bytes, stream);
  return call([&] {
    const cudaError_t error = check_devices(to_device, from_device);
    return error != cudaSuccess ? error : copy_on(plain(to, from, bytes, cudaMemcpyDeviceToDevice), stream);
  });
}
cudaError_t cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t height,
                         enum cudaMemcpyKind kind) {
  PLANISH_FORWARD(cudaMemcpy2D, to, to_pitch, from, from_pitch, width, height, kind);
  return call([&] { return copy_now(rows(to, to_pitch, from, from_pitch, width, height, kind)); });
}
cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                              size_t height, enum cudaMemcpyKind kind, cudaStream_t stream) {
  PLANISH_FORWARD(cudaMemcpy2DAsync, to, to_pitch, from, from_pitch, width, height, kind, stream);
  return call([&] { return copy_on(rows(to, to_pitch, from, from_pitch, width, height, kind), stream); });
}
cudaError_t cudaMemcpy3D(const struct cudaMemcpy3DParms* given) {
  PLANISH_FORWARD(cudaMemcpy3D, given);
  return call([&] {
    Copy copy;
    const cudaError_t error = slices(given, &copy);
    return error != cudaSuccess ? error : copy_now(copy);
  });
}
cudaError_t cudaMemcpy3DAsync(const struct cudaMemcpy3DParms* given, cudaStream_t stream) {
  PLANISH_FORWARD(cudaMemcpy3DAsync, given, stream);
  return call([&] {
    Copy copy;
    const cudaError_t error = slices(given, &copy);
    return error != cudaSuccess ? error : copy_on(copy, stream);
  });
}
cudaError_t cudaMemset(void* memory, int value, size_t bytes) {
  PLANISH_FORWARD(cudaMemset, memory, value, bytes);
  return call([&] { return fill_now(fill_rows(memory, 0, value, bytes, 1)); });
}
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  PLANISH_FORWARD(cudaMemsetAsync, memory, value, bytes, stream);
  return call([&] { return fill_on(fill_rows(memory, 0, value, bytes, 1), stream); });
}
cudaError_t cudaMemset2D(void* memory, size_t pitch, int value, size_t width, size_t height) {
  PLANISH_FORWARD(cudaMemset2D, memory, pitch, value, width, height);
  return call([&] { return fill_now(fill_rows(memory, pitch, value, width, height)); });
}
cudaError_t cudaMemset2DAsync(void* memory, size_t pitch, int value, size_t width, size_t height, cudaStream_t stream) {
  PLANISH_FORWARD(cudaMemset2DAsync, memory, pitch, value, width, height, stream);
  return call([&] { return fill_on(fill_rows(memory, pitch, value, width, height), stream); });
}
cudaError_t cudaMemset3D(struct cudaPitchedPtr memory, int value, struct cudaExtent extent) {
  PLANISH_FORWARD(cudaMemset3D, memory, value, extent);
  return call([&] { return fill_now(fill_slices(memory, value, extent)); });
}
cudaError_t cudaMemset3DAsync(struct cudaPitchedPtr memory, int value, struct cudaExtent extent, cudaStream_t stream) {
  PLANISH_FORWARD(cudaMemset3DAsync, memory, value, extent, stream);
  return call([&] { return fill_on(fill_slices(memory, value, extent), stream); });
}

}  // extern "C"
