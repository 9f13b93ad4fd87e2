#pragma once
// ITimingCache: the text that builds read and write, through planish::Timings.

#include <string>
#include <vector>

#include "NvInfer.h"
#include "planish/planish.hpp"
#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {

class TimingCacheImpl final : public nvinfer1::ITimingCache {
 public:
  // Empty, with a warning, where the bytes are of another version. Error(invalid_argument): no timing cache, or
  // damaged.
  TimingCacheImpl(const void* blob, size_t size, const Reporter& reporter);
  nvinfer1::IHostMemory* serialize() const override;
  bool combine(nvinfer1::ITimingCache const& other, bool ignore_mismatch) override;
  bool reset() override { return bytes.clear(), true; }
  int64_t queryKeys(nvinfer1::TimingCacheKey* keys, int64_t capacity) const override;
  // The candidate that computes nodes of this key: the one that was set, else the fastest.
  nvinfer1::TimingCacheValue query(nvinfer1::TimingCacheKey const& key) const override;
  // From now on this candidate computes them. False: nothing was measured for the key, or not this candidate.
  bool update(nvinfer1::TimingCacheKey const& key, nvinfer1::TimingCacheValue const& value) override;
  void destroy() override { delete this; }

  std::string bytes;

 private:
  Reporter reporter_;
};

// The number that stands for a candidate of this name.
uint64_t tactic_hash(const std::string& candidate);

// A node of a build, and what was timed for it.
struct TunedNode {
  std::string name, key;
  std::vector<CandidateReport> candidates;

  const CandidateReport& fastest() const;
  const CandidateReport& taken() const;  // the fastest, where none of them is
};

// The nodes of a build that were timed, in its order.
class TacticLog {
 public:
  void add(const CandidateReport& report);
  void clear() { nodes_.clear(); }
  void print(const Reporter& reporter) const;  // as verbose lines
  const std::vector<TunedNode>& nodes() const { return nodes_; }

 private:
  std::vector<TunedNode> nodes_;
};

}  // namespace planish::tensorrt
