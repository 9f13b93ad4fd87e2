#include "tensorrt/runtime/refit_record.h"

#include "planish/error.hpp"

namespace planish::tensorrt {
namespace {

// At the end: the record's size, then this.
constexpr std::string_view kMark = "planish refit 01";
constexpr size_t kTail = sizeof(int64_t) + kMark.size();

// 0: there is no record.
size_t record_bytes(const Blob& blob) {
  const auto* bytes = static_cast<const char*>(blob.data.get());
  if (blob.size < kTail || std::string_view(bytes + blob.size - kMark.size(), kMark.size()) != kMark) return 0;
  uint64_t size = 0;
  std::memcpy(&size, bytes + blob.size - kTail, sizeof size);
  return size > blob.size - kTail ? 0 : static_cast<size_t>(size) + kTail;
}

}  // namespace

Packer& Packer::put(std::string_view text) {
  put(static_cast<int64_t>(text.size()));
  bytes.append(text);
  return *this;
}

Packer& Packer::put(int64_t number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  return *this;
}

int64_t Unpacker::number() {
  int64_t number = 0;
  if (rest_.size() < sizeof number) throw Error(Code::invalid_plan, "the record of the weights ends early");
  std::memcpy(&number, rest_.data(), sizeof number);
  rest_.remove_prefix(sizeof number);
  return number;
}

int64_t Unpacker::count() {
  const int64_t count = number();
  if (count < 0 || static_cast<size_t>(count) > rest_.size())
    throw Error(Code::invalid_plan, "the record of the weights names " + std::to_string(count) + " entries");
  return count;
}

std::string Unpacker::text() {
  const auto size = static_cast<size_t>(count());
  const std::string text(rest_.substr(0, size));
  rest_.remove_prefix(size);
  return text;
}

Blob with_record(const Blob& plan, const RefitRecord& record) {
  Packer packer;
  packer.put(record.network).put(record.options).put(record.cache).put(static_cast<int64_t>(record.weights.size()));
  for (const RefitRecord::Weights& weights : record.weights)
    packer.put(weights.layer).put(static_cast<int64_t>(weights.role)).put(weights.constant).put(weights.name);
  const auto size = static_cast<int64_t>(packer.bytes.size());
  packer.put(size).bytes.append(kMark);
  std::string whole(static_cast<const char*>(plan.data.get()), plan.size);
  whole += packer.bytes;
  return copy_of(whole.data(), whole.size());
}

size_t plan_bytes(const Blob& blob) { return blob.size - record_bytes(blob); }

std::optional<RefitRecord> record_of(const Blob& blob) {
  const size_t size = record_bytes(blob);
  if (size == 0) return std::nullopt;
  try {
    Unpacker in({static_cast<const char*>(blob.data.get()) + blob.size - size, size - kTail});
    RefitRecord record;
    record.network = in.text();
    record.options = in.text();
    record.cache = in.text();
    for (int64_t i = 0, n = in.count(); i < n; ++i) {
      RefitRecord::Weights& weights = record.weights.emplace_back();
      weights.layer = in.text();
      weights.role = static_cast<nvinfer1::WeightsRole>(in.number());
      weights.constant = in.text();
      weights.name = in.text();
    }
    return record;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace planish::tensorrt
