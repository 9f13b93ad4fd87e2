#include "tensorrt/runtime/refit_record.h"

#include <algorithm>

#include "planish/error.hpp"

namespace planish::tensorrt {
namespace {

// At the end: the record's checksum and size, then this.
constexpr std::string_view kMark = "planish refit 03";
constexpr size_t kTail = 2 * sizeof(int64_t) + kMark.size();
// At the beginning: this, the checksum of the rest, the size in full, then runs: how many zeros, how many bytes follow
// them, these bytes.
constexpr std::string_view kSqueezed = "planish without weights 02";
constexpr size_t kLeastRun = 32;

// FNV-1a over words of 64 bits, the last one filled up with zeros, and the length.
uint64_t checksum(std::string_view bytes) {
  uint64_t sum = 0xcbf29ce484222325U;
  const auto add = [&](uint64_t word) {
    sum = (sum ^ word) * 0x100000001b3U;
    sum ^= sum >> 32;  // high bits reach the low ones
  };
  for (size_t at = 0; at < bytes.size(); at += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min(sizeof word, bytes.size() - at));
    add(word);
  }
  add(bytes.size());
  return sum;
}

// 0: there is no record.
size_t record_bytes(const Blob& blob) {
  const auto* bytes = static_cast<const char*>(blob.data.get());
  if (blob.size < kTail || std::string_view(bytes + blob.size - kMark.size(), kMark.size()) != kMark) return 0;
  uint64_t size = 0;
  std::memcpy(&size, bytes + blob.size - kTail + sizeof(int64_t), sizeof size);
  return size > blob.size - kTail ? 0 : static_cast<size_t>(size) + kTail;
}

std::string_view view_of(const Blob& blob) { return {static_cast<const char*>(blob.data.get()), blob.size}; }

// Zeros that cost no memory before they are written.
std::shared_ptr<char> zeros(size_t size) {
  constexpr size_t kAlignment = 64;
  auto* memory = static_cast<char*>(std::calloc(size + kAlignment, 1));
  if (memory == nullptr) throw std::bad_alloc();
  const std::shared_ptr<char> whole(memory, [](char* p) { std::free(p); });
  const auto past = reinterpret_cast<uintptr_t>(memory) % kAlignment;
  return {whole, memory + (kAlignment - past) % kAlignment};
}

// Where the next run of zeros begins that is worth a number.
size_t next_run(std::string_view bytes, size_t from) {
  static const std::string run(kLeastRun, '\0');
  return std::min(bytes.find(run, from), bytes.size());
}

}  // namespace

Blob (*strip_weights)(const Blob& plan) = nullptr;

int64_t RefitRecord::stripped_bytes() const {
  int64_t bytes = 0;
  for (const Weights& known : weights) bytes += known.stripped_bytes;
  return bytes;
}

bool is_squeezed(const Blob& blob) { return view_of(blob).starts_with(kSqueezed); }

Blob squeezed(const Blob& blob) {
  const std::string_view bytes = view_of(blob);
  Packer packer;
  packer.put(static_cast<int64_t>(bytes.size()));
  for (size_t at = 0; at < bytes.size();) {
    const size_t begin = std::min(bytes.find_first_not_of('\0', at), bytes.size()), end = next_run(bytes, begin);
    packer.put(static_cast<int64_t>(begin - at)).put(bytes.substr(begin, end - begin));
    at = end;
  }
  Packer begin;
  begin.put(static_cast<int64_t>(checksum(packer.bytes)));
  const std::string whole = std::string(kSqueezed) + begin.bytes + packer.bytes;
  return copy_of(whole.data(), whole.size());
}

Blob unsqueezed(const Blob& blob) {
  const std::string_view packed = view_of(blob).substr(kSqueezed.size());
  Unpacker in(packed);
  if (static_cast<uint64_t>(in.number()) != checksum(packed.substr(sizeof(int64_t))))
    throw Error(Code::invalid_plan, "the plan without weights is damaged: its checksum is another one");
  const int64_t size = in.number();
  constexpr int64_t kMost = int64_t{1} << 40;
  if (size < 0 || size > kMost) throw Error(Code::invalid_plan, "a plan of " + std::to_string(size) + " bytes");
  const std::shared_ptr<char> memory = zeros(static_cast<size_t>(size));
  for (int64_t at = 0; at < size;) {
    const int64_t run = in.number();
    const std::string part = in.text();
    const auto length = static_cast<int64_t>(part.size());
    if (run < 0 || run > size - at || length > size - at - run || run + length == 0)
      throw Error(Code::invalid_plan, "the plan without weights is damaged at byte " + std::to_string(at));
    std::memcpy(memory.get() + at + run, part.data(), part.size());
    at += run + length;
  }
  return {memory, static_cast<size_t>(size)};
}

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
    packer.put(weights.layer)
        .put(static_cast<int64_t>(weights.role))
        .put(weights.constant)
        .put(weights.name)
        .put(weights.stripped_bytes);
  const auto size = static_cast<int64_t>(packer.bytes.size());
  const auto sum = static_cast<int64_t>(checksum(packer.bytes));
  packer.put(sum).put(size).bytes.append(kMark);
  std::string whole(static_cast<const char*>(plan.data.get()), plan.size);
  whole += packer.bytes;
  return copy_of(whole.data(), whole.size());
}

size_t plan_bytes(const Blob& blob) { return blob.size - record_bytes(blob); }

void check_record(const Blob& blob) {
  const size_t size = record_bytes(blob);
  if (size == 0) return;
  const std::string_view tail = view_of(blob).substr(blob.size - size);
  uint64_t sum = 0;
  std::memcpy(&sum, tail.data() + size - kTail, sizeof sum);
  if (sum != checksum(tail.substr(0, size - kTail)))
    throw Error(Code::invalid_plan, "what the plan carries to be refitted is damaged: its checksum is another one");
}

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
      weights.stripped_bytes = in.number();
    }
    return record;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace planish::tensorrt
