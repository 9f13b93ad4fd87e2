#include "importers/caffe/wire/weights.h"

#include "base/checked.h"
#include "importers/common/wire.h"

namespace planish::caffe::wire {
namespace {

using importers::Reader;

// NVIDIA's numbers of element types in raw data.
DataType raw_type_of(int64_t number) {
  static constexpr DataType kTypes[] = {DataType::f64, DataType::f32, DataType::f16};
  if (number < 0 || number >= std::ssize(kTypes))
    fail(Code::unsupported, "raw data of element type {}; double, float and half are accepted", number);
  return kTypes[number];
}

std::span<const std::byte> bytes_of(protozero::data_view view) {
  return {reinterpret_cast<const std::byte*>(view.data()), view.size()};
}

struct BlobReader {
  Blob blob;
  std::vector<int64_t> legacy = {0, 0, 0, 0};
  bool has_legacy = false, has_shape = false;
  int64_t raw_type = 1;

  // Packed elements in one piece stay where they are; of more pieces each is copied behind the other.
  template <class T>
  void packed(Reader& reader, DataType dtype, protozero::pbf_wire_type single) {
    if (reader.wire_type() == single) {
      loosen();
      blob.loose.push_back(dtype == DataType::f32 ? reader.get_float() : reader.get_double());
      return;
    }
    const auto view = bytes_of(reader.get_view());
    if (view.size() % sizeof(T) != 0)
      fail(Code::invalid_model, "{} packed bytes are no whole number of elements", view.size());
    if (blob.elements.empty() && blob.loose.empty()) {
      blob.elements = view;
      blob.dtype = dtype;
      return;
    }
    loosen();
    append<T>(view);
  }

  void loosen() {
    const auto view = blob.elements;
    blob.elements = {};
    if (blob.dtype == DataType::f64)
      append<double>(view);
    else
      append<float>(view);
  }

  template <class T>
  void append(std::span<const std::byte> view) {
    for (size_t at = 0; at + sizeof(T) <= view.size(); at += sizeof(T)) {
      T value;
      std::memcpy(&value, view.data() + at, sizeof(T));
      blob.loose.push_back(value);
    }
  }

  void read_shape(Reader shape) {
    has_shape = true;
    while (shape.next()) {
      if (shape.tag() == 1)
        importers::read_int64s(shape, blob.extents);
      else
        shape.skip();
    }
  }

  void read_field(Reader& reader) {
    switch (const auto tag = reader.tag()) {
      case 1:
      case 2:
      case 3:
      case 4:
        legacy[tag - 1] = reader.get_int64();
        has_legacy = true;
        break;
      case 5:
        packed<float>(reader, DataType::f32, protozero::pbf_wire_type::fixed32);
        break;
      case 7:
        read_shape(reader.get_message());
        break;
      case 8:
        packed<double>(reader, DataType::f64, protozero::pbf_wire_type::fixed64);
        break;
      case 10:
        raw_type = reader.get_int64();
        break;
      case 12:
        blob.elements = bytes_of(reader.get_view());
        blob.dtype = DataType::none;
        break;
      default:
        reader.skip();
    }
  }
};

Blob read_blob_fields(Reader reader, const std::shared_ptr<const void>& owner) {
  BlobReader fields;
  while (reader.next()) fields.read_field(reader);
  Blob blob = std::move(fields.blob);
  // Without either it is a scalar.
  if (!fields.has_shape && fields.has_legacy) blob.extents = fields.legacy;
  if (blob.dtype == DataType::none) blob.dtype = raw_type_of(fields.raw_type);
  blob.owner = owner;
  return blob;
}

// Where a layer of either format has its name and its blobs.
struct LayerTags {
  protozero::pbf_tag_type name, blobs;
};

void read_layer(Reader reader, LayerTags tags, const std::shared_ptr<const void>& owner, LayerBlobs& layers) {
  std::string name;
  std::vector<Blob> blobs;
  while (reader.next()) {
    if (reader.tag() == tags.name)
      name = importers::text_of(reader);
    else if (reader.tag() == tags.blobs)
      blobs.push_back(read_blob_fields(reader.get_message(), owner));
    else
      reader.skip();
  }
  if (!blobs.empty()) layers[name] = std::move(blobs);
}

}  // namespace

int64_t Blob::count() const {
  if (extents.size() > kMaxRank)
    fail(Code::unsupported, "a blob of rank {}; up to {} are accepted", extents.size(), kMaxRank);
  const int64_t wanted = checked_product(extents);
  const auto found =
      static_cast<int64_t>(loose.empty() ? elements.size() / static_cast<size_t>(element_bytes(dtype)) : loose.size());
  if (found != wanted) fail(Code::invalid_model, "{} elements by the blob's shape, {} found", wanted, found);
  return wanted;
}

Tensor Blob::tensor(const std::vector<int64_t>& wanted) const {
  const int64_t elements_count = count();
  if (loose.empty() && dtype == DataType::f32 && owner) return Tensor::wrap(dtype, wanted, elements.data(), owner);
  return Tensor::make(DataType::f32, wanted, [&](std::byte* out) {
    auto* values = reinterpret_cast<float*>(out);
    if (loose.empty() && dtype == DataType::f32)
      return static_cast<void>(std::copy(elements.begin(), elements.end(), out));
    // Elements of a file stand at any address: one at a time is moved to where a typed read may find it.
    alignas(8) std::byte element[8] = {};
    const auto bytes = static_cast<size_t>(element_bytes(dtype));
    const TensorView view = make_view(element, dtype, {});
    for (size_t i = 0; i < static_cast<size_t>(elements_count); ++i) {
      if (loose.empty()) std::copy_n(elements.data() + i * bytes, bytes, element);
      values[i] = static_cast<float>(loose.empty() ? load_double(view, 0) : loose[i]);
    }
  });
}

LayerBlobs read_weights(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner) {
  importers::refuse_lfs_pointer(bytes);
  return importers::guarded("a Caffe model's weights", [&] {
    LayerBlobs layers;
    for (Reader reader = importers::reader_of(bytes); reader.next();) {
      if (reader.tag() == 100)
        read_layer(reader.get_message(), {1, 7}, owner, layers);
      else if (reader.tag() == 2)
        read_layer(reader.get_message(), {4, 6}, owner, layers);
      else
        reader.skip();
    }
    return layers;
  });
}

Blob read_blob(std::span<const std::byte> bytes, const std::shared_ptr<const void>& owner) {
  importers::refuse_lfs_pointer(bytes);
  return importers::guarded("a serialized BlobProto",
                            [&] { return read_blob_fields(importers::reader_of(bytes), owner); });
}

}  // namespace planish::caffe::wire
