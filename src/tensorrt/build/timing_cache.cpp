#include "tensorrt/build/timing_cache.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "tensorrt/runtime/memory.h"

namespace planish::tensorrt {
namespace {

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

TimingCacheImpl::TimingCacheImpl(const void* blob, size_t size, const Reporter& reporter) : reporter_(reporter) {
  if (blob == nullptr) return;
  bytes.assign(static_cast<const char*>(blob), size);
  try {
    Timings{bytes};
  } catch (const Error& error) {
    if (error.code() != Code::mismatch) throw;
    reporter_.warn(std::string("the timing cache is not used: ") + error.what());
    bytes.clear();
  }
}

nvinfer1::IHostMemory* TimingCacheImpl::serialize() const {
  return reporter_.guard("ITimingCache::serialize", static_cast<nvinfer1::IHostMemory*>(nullptr),
                         [&]() -> nvinfer1::IHostMemory* { return new HostMemory(bytes); });
}

bool TimingCacheImpl::combine(nvinfer1::ITimingCache const& other, bool ignore_mismatch) {
  return reporter_.guard("ITimingCache::combine", false, [&] {
    const auto& from = static_cast<const TimingCacheImpl&>(other);
    Timings mine(bytes);
    mine.merge(Timings(from.bytes), ignore_mismatch);
    bytes = mine.text();
    return true;
  });
}

int64_t TimingCacheImpl::queryKeys(nvinfer1::TimingCacheKey* keys, int64_t capacity) const {
  return reporter_.guard("ITimingCache::queryKeys", int64_t{-1}, [&] {
    if (keys == nullptr && capacity != 0) refuse("the buffer is null and has room for " + std::to_string(capacity));
    int64_t count = 0;
    std::string last;
    for (const TimingRow& row : Timings(bytes).rows()) {
      if (row.key == last) continue;
      if (count < capacity) keys[count] = key_of(row.key);
      ++count;
      last = row.key;
    }
    return count;
  });
}

nvinfer1::TimingCacheValue TimingCacheImpl::query(nvinfer1::TimingCacheKey const& key) const {
  const nvinfer1::TimingCacheValue none{nvinfer1::TimingCacheValue::kINVALID_TACTIC_HASH, -1.0F};
  return reporter_.guard("ITimingCache::query", none, [&] {
    const std::string wanted = text_of(key);
    std::optional<TimingRow> best;
    for (const TimingRow& row : Timings(bytes).rows())
      if (row.key == wanted && (!best || row.chosen || (!best->chosen && row.microseconds < best->microseconds)))
        best = row;
    if (!best) return none;
    return nvinfer1::TimingCacheValue{tactic_hash(best->candidate), static_cast<float>(best->microseconds / 1e3)};
  });
}

bool TimingCacheImpl::update(nvinfer1::TimingCacheKey const& key, nvinfer1::TimingCacheValue const& value) {
  return reporter_.guard("ITimingCache::update", false, [&] {
    const std::string wanted = text_of(key);
    Timings timings(bytes);
    const std::vector<TimingRow> rows = timings.rows();
    const auto chosen = std::find_if(rows.begin(), rows.end(), [&](const TimingRow& row) {
      return row.key == wanted && tactic_hash(row.candidate) == value.tacticHash;
    });
    if (chosen == rows.end())
      throw Error(Code::not_found, "key 0x" + wanted + " has no tactic of that hash in the cache");
    timings.choose(wanted, chosen->candidate, 1e3 * static_cast<double>(value.timingMSec));
    bytes = timings.text();
    return true;
  });
}

const CandidateReport& TunedNode::fastest() const {
  return *std::min_element(candidates.begin(), candidates.end(),
                           [](const auto& a, const auto& b) { return a.microseconds < b.microseconds; });
}

const CandidateReport& TunedNode::taken() const {
  const auto chosen = std::find_if(candidates.rbegin(), candidates.rend(), [](const auto& c) { return c.chosen; });
  return chosen == candidates.rend() ? fastest() : *chosen;
}

void TacticLog::add(const CandidateReport& report) {
  const bool estimated = report.candidate.ends_with(" (estimate)");
  if (report.microseconds < 0 || estimated) return;
  if (nodes_.empty() || nodes_.back().key != report.key) nodes_.push_back({report.node, report.key, {}});
  nodes_.back().candidates.push_back(report);
}

void TacticLog::print(const Reporter& reporter) const {
  const auto say = [&](const std::string& line) { tensorrt::say(reporter.logger(), Severity::kVERBOSE, line); };
  for (const TunedNode& node : nodes_) {
    const double fastest = node.fastest().microseconds;
    say("Autotuning op " + node.name + "(key: 0x" + node.key + "):");
    say("tactic_id, cost(in ms), cost/fastest_cost, prediction_correlation, kernel_name, tactic_hash, tactic_shapes");
    for (size_t i = 0; i < node.candidates.size(); ++i) {
      const CandidateReport& candidate = node.candidates[i];
      const double ratio = fastest > 0 ? candidate.microseconds / fastest : 1;
      char numbers[96], hash[32];
      std::snprintf(numbers, sizeof numbers, "%zu, %.5f, %.2f, 1.000, ", i, candidate.microseconds / 1e3, ratio);
      std::snprintf(hash, sizeof hash, ", 0x%llx,", static_cast<unsigned long long>(tactic_hash(candidate.candidate)));
      say(numbers + candidate.candidate + hash);
    }
    char selected[96];
    std::snprintf(selected, sizeof selected, "The selected tactic is (tactic hash, cost(in ms)):0x%llx, %.7g",
                  static_cast<unsigned long long>(tactic_hash(node.taken().candidate)),
                  node.taken().microseconds / 1e3);
    say(selected);
  }
}

}  // namespace planish::tensorrt
