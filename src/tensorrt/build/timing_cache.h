#pragma once
// ITimingCache: the text that builds read and write (planish_build.h), as rows that can be asked for and edited.

#include <map>
#include <string>
#include <vector>

#include "NvInfer.h"
#include "planish/planish.hpp"
#include "tensorrt/runtime/report.h"

namespace planish::tensorrt {

class TimingCacheImpl final : public nvinfer1::ITimingCache {
 public:
  // Error(mismatch): the bytes are no timing cache.
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

// What was timed for each node of a build, as verbose lines: the nodes' keys, their candidates, the choice.
class TacticLog {
 public:
  explicit TacticLog(const Reporter& reporter) : reporter_(reporter) {}
  void add(const CandidateReport& report);
  void print() const;

 private:
  struct Op {
    std::string name, key;
    std::vector<CandidateReport> candidates;
  };
  const Reporter& reporter_;
  std::vector<Op> ops_;
};

}  // namespace planish::tensorrt
