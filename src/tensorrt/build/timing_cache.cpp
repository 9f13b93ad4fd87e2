#include "tensorrt/build/timing_cache.h"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "tensorrt/runtime/memory.h"

namespace planish::tensorrt {
namespace {

constexpr std::string_view kTitle = "planish timing cache ", kFull = " full", kOnly = " only";

// One line: key, candidate, microseconds, whether it was taken by full tuning, whether no other may be taken.
struct Row {
  std::string key, candidate;
  double us = 0;
  bool full = false, only = false;

  std::string str() const {
    char number[32];
    std::snprintf(number, sizeof number, "%.3f", us);
    return key + " " + candidate + " " + number + std::string(full ? kFull : "") + std::string(only ? kOnly : "") +
           "\n";
  }
};

struct Table {
  std::string head;  // title and machine
  std::vector<Row> rows;

  explicit Table(const std::string& text) {
    std::istringstream lines(text);
    std::string line;
    for (int i = 0; i < 2 && std::getline(lines, line); ++i) head += line + "\n";
    while (std::getline(lines, line)) {
      const auto take = [&](std::string_view mark) {
        const bool there = line.ends_with(mark);
        if (there) line.resize(line.size() - mark.size());
        return there;
      };
      const bool only = take(kOnly), full = take(kFull);
      const size_t first = line.find(' '), last = line.rfind(' ');
      if (first >= last) continue;
      rows.push_back({line.substr(0, first), line.substr(first + 1, last - first - 1),
                      std::strtod(line.c_str() + last + 1, nullptr), full, only});
    }
  }
  std::string str() const {
    std::string text = head;
    for (const Row& row : rows) text += row.str();
    return text;
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    for (const Row& row : rows)
      if (std::find(keys.begin(), keys.end(), row.key) == keys.end()) keys.push_back(row.key);
    return keys;
  }
};

std::string text_of(const nvinfer1::TimingCacheKey& key) {
  std::string text;
  char digits[3];
  for (uint8_t byte : key.data) {
    std::snprintf(digits, sizeof digits, "%02x", byte);
    text += digits;
  }
  return text;
}

nvinfer1::TimingCacheKey key_of(const std::string& text) {
  nvinfer1::TimingCacheKey key{};
  for (size_t i = 0; i < sizeof key.data && 2 * i + 1 < text.size(); ++i)
    key.data[i] = static_cast<uint8_t>(std::strtoul(text.substr(2 * i, 2).c_str(), nullptr, 16));
  return key;
}

}  // namespace

// FNV-1a, 64 bits.
uint64_t tactic_hash(const std::string& candidate) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (char c : candidate) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

TimingCacheImpl::TimingCacheImpl(const void* blob, size_t size, const Reporter& reporter)
    : bytes(blob == nullptr ? "" : std::string(static_cast<const char*>(blob), size)), reporter_(reporter) {
  if (!bytes.empty() && !bytes.starts_with(kTitle))
    throw Error(Code::mismatch, "the bytes are no timing cache of this library");
}

nvinfer1::IHostMemory* TimingCacheImpl::serialize() const {
  return reporter_.guard("ITimingCache::serialize", static_cast<nvinfer1::IHostMemory*>(nullptr),
                         [&]() -> nvinfer1::IHostMemory* { return new HostMemory(bytes); });
}

bool TimingCacheImpl::combine(nvinfer1::ITimingCache const& other, bool ignore_mismatch) {
  return reporter_.guard("ITimingCache::combine", false, [&] {
    const auto& from = static_cast<const TimingCacheImpl&>(other);
    if (from.bytes.empty()) return true;
    if (bytes.empty()) return bytes = from.bytes, true;
    Table mine(bytes);
    const Table theirs(from.bytes);
    if (mine.head != theirs.head && !ignore_mismatch)
      throw Error(Code::mismatch, "the other cache was made by another version or on another machine");
    for (const Row& row : theirs.rows) {
      const auto known = std::find_if(mine.rows.begin(), mine.rows.end(), [&](const Row& own) {
        return own.key == row.key && own.candidate == row.candidate;
      });
      if (known == mine.rows.end())
        mine.rows.push_back(row);
      else if (row.full && !known->full && !known->only)
        known->us = row.us, known->full = true;
    }
    bytes = mine.str();
    return true;
  });
}

int64_t TimingCacheImpl::queryKeys(nvinfer1::TimingCacheKey* keys, int64_t capacity) const {
  return reporter_.guard("ITimingCache::queryKeys", int64_t{-1}, [&] {
    if (keys == nullptr && capacity != 0) refuse("the buffer is null and has room for " + std::to_string(capacity));
    const std::vector<std::string> all = Table(bytes).keys();
    for (size_t i = 0; i < all.size() && static_cast<int64_t>(i) < capacity; ++i) keys[i] = key_of(all[i]);
    return std::ssize(all);
  });
}

nvinfer1::TimingCacheValue TimingCacheImpl::query(nvinfer1::TimingCacheKey const& key) const {
  const nvinfer1::TimingCacheValue none{nvinfer1::TimingCacheValue::kINVALID_TACTIC_HASH, -1.0F};
  return reporter_.guard("ITimingCache::query", none, [&] {
    const std::string wanted = text_of(key);
    const Table table(bytes);
    const Row* best = nullptr;
    for (const Row& row : table.rows)
      if (row.key == wanted && (best == nullptr || row.only || (!best->only && row.us < best->us))) best = &row;
    if (best == nullptr) return none;
    return nvinfer1::TimingCacheValue{tactic_hash(best->candidate), static_cast<float>(best->us / 1e3)};
  });
}

bool TimingCacheImpl::update(nvinfer1::TimingCacheKey const& key, nvinfer1::TimingCacheValue const& value) {
  return reporter_.guard("ITimingCache::update", false, [&] {
    const std::string wanted = text_of(key);
    Table table(bytes);
    const auto chosen = std::find_if(table.rows.begin(), table.rows.end(), [&](const Row& row) {
      return row.key == wanted && tactic_hash(row.candidate) == value.tacticHash;
    });
    if (chosen == table.rows.end())
      throw Error(Code::not_found, "key 0x" + wanted + " has no tactic of that hash in the cache");
    if (!(value.timingMSec > 0)) refuse("a time of " + std::to_string(value.timingMSec) + " ms");
    for (Row& row : table.rows)
      if (row.key == wanted) row.only = false;
    chosen->only = true;
    chosen->us = 1e3 * static_cast<double>(value.timingMSec);
    bytes = table.str();
    return true;
  });
}

void TacticLog::add(const CandidateReport& report) {
  const bool estimated = report.candidate.ends_with(" (estimate)");
  if (report.microseconds < 0 || estimated) return;
  if (ops_.empty() || ops_.back().key != report.key) ops_.push_back({report.node, report.key, {}});
  ops_.back().candidates.push_back(report);
}

void TacticLog::print() const {
  const auto say = [&](const std::string& line) { tensorrt::say(reporter_.logger(), Severity::kVERBOSE, line); };
  for (const Op& op : ops_) {
    const auto fastest = std::min_element(op.candidates.begin(), op.candidates.end(),
                                          [](const auto& a, const auto& b) { return a.microseconds < b.microseconds; });
    say("Autotuning op " + op.name + "(key: 0x" + op.key + "):");
    say("tactic_id, cost(in ms), cost/fastest_cost, prediction_correlation, kernel_name, tactic_hash, tactic_shapes");
    const CandidateReport* chosen = &*fastest;
    for (size_t i = 0; i < op.candidates.size(); ++i) {
      const CandidateReport& candidate = op.candidates[i];
      if (candidate.chosen) chosen = &candidate;
      const double ratio = fastest->microseconds > 0 ? candidate.microseconds / fastest->microseconds : 1;
      char numbers[96], hash[32];
      std::snprintf(numbers, sizeof numbers, "%zu, %.5f, %.2f, 1.000, ", i, candidate.microseconds / 1e3, ratio);
      std::snprintf(hash, sizeof hash, ", 0x%llx,", static_cast<unsigned long long>(tactic_hash(candidate.candidate)));
      say(numbers + candidate.candidate + hash);
    }
    char selected[96];
    std::snprintf(selected, sizeof selected, "The selected tactic is (tactic hash, cost(in ms)):0x%llx, %.7g",
                  static_cast<unsigned long long>(tactic_hash(chosen->candidate)), chosen->microseconds / 1e3);
    say(selected);
  }
}

}  // namespace planish::tensorrt
