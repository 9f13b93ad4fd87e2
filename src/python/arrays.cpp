#include "python/arrays.h"

#include <cstring>
#include <iterator>
#include <new>

#include "python/module.h"

namespace planish::python {
namespace {

using Kind = nb::dlpack::dtype_code;

nb::dlpack::dtype dtype_of(DataType type) {
  const auto bits = static_cast<uint8_t>(8 * element_bytes(type));
  switch (type) {
    case DataType::f32:
    case DataType::f64:
    case DataType::f16:
      return {static_cast<uint8_t>(Kind::Float), bits, 1};
    case DataType::bf16:
      return {static_cast<uint8_t>(Kind::Bfloat), bits, 1};
    case DataType::i8:
    case DataType::i16:
    case DataType::i32:
    case DataType::i64:
      return {static_cast<uint8_t>(Kind::Int), bits, 1};
    case DataType::boolean:
      return {static_cast<uint8_t>(Kind::Bool), bits, 1};
    default:  // types of fewer bits have a byte for each element
      return {static_cast<uint8_t>(Kind::UInt), bits, 1};
  }
}

std::string text_of(nb::dlpack::dtype dtype) {
  static constexpr const char* kNames[] = {"int", "uint", "float", "pointer", "bfloat", "complex", "bool"};
  if (dtype.code == static_cast<uint8_t>(Kind::Bool)) return "bool";
  return (dtype.code < std::size(kNames) ? kNames[dtype.code] : "another type of ") + std::to_string(dtype.bits);
}

template <class Given>
Array array_of(nb::handle object, const std::string& what, DataType type, bool copies, const char* wanted) {
  Given given;
  if (!nb::try_cast(object, given, copies))
    throw Error(Code::invalid_argument, what + " takes " + wanted + ", " +
                                            nb::cast<std::string>(nb::str(nb::handle(object.type()))) + " was given");
  if (given.dtype() != dtype_of(type))
    throw Error(Code::invalid_argument, what + " is " + name(type) + " and takes " + text_of(dtype_of(type)) +
                                            ", the array is of " + text_of(given.dtype()));
  if (given.device_type() != nb::device::cpu::value && given.device_type() != nb::device::cuda::value)
    throw Error(Code::invalid_argument, what + ": the array is neither in the memory of the host nor of an NVIDIA GPU");
  Array array;
  array.on_gpu = given.device_type() == nb::device::cuda::value;
  array.data = const_cast<void*>(static_cast<const void*>(given.data()));
  array.bytes = given.nbytes();
  for (size_t axis = 0; axis < given.ndim(); ++axis) array.extents.push_back(static_cast<int64_t>(given.shape(axis)));
  array.owner = std::make_shared<Given>(given);
  return array;
}

}  // namespace

Array readable(nb::handle object, const std::string& what, DataType type) {
  using Given = nb::ndarray<nb::ro, nb::c_contig>;
  const Array array = array_of<Given>(object, what, type, true, "an array");
  if (array.on_gpu || reinterpret_cast<uintptr_t>(array.data) % element_bytes(type) == 0) return array;
  return array_of<Given>(nb::module_::import_("numpy").attr("array")(object), what, type, true, "an array");
}

Array writable(nb::handle object, const std::string& what, DataType type) {
  return array_of<nb::ndarray<nb::c_contig>>(object, what, type, false, "a dense, row-major array that can be written");
}

nb::object new_array(const std::string& what, DataType type, const Extents& extents, const void* from) {
  if (type == DataType::bf16)
    throw Error(Code::unsupported, what + " is bf16, which NumPy lacks: bind memory of yours, of PyTorch for instance");
  const auto bytes = static_cast<size_t>(element_count(extents)) * element_bytes(type);
  auto memory = std::make_unique<std::byte[]>(bytes + 1);
  if (from != nullptr) std::memcpy(memory.get(), from, bytes);
  std::byte* data = memory.release();
  const nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<std::byte*>(p); });
  const std::vector<size_t> shape(extents.begin(), extents.end());
  return nb::cast(nb::ndarray<nb::numpy>(data, shape.size(), shape.data(), owner, nullptr, dtype_of(type)));
}

}  // namespace planish::python
