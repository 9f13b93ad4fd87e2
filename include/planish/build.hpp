// build: a network, or a model file, becomes a plan.
#pragma once

#include <algorithm>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "planish/engine.hpp"
#include "planish/network.hpp"

namespace planish {
inline namespace v0 {

enum class Tuning : planish_tuning {
  fast = PLANISH_TUNE_FAST,  // times the promising candidates
  full = PLANISH_TUNE_FULL,  // times all
  off = PLANISH_TUNE_OFF,    // estimates decide
};

struct BuildProgress {
  std::string phase;  // "optimising", "tuning", …
  int done = 0, total = 0;
};

// One candidate that was considered for a node.
struct CandidateReport {
  std::string node, candidate;
  double microseconds = 0;  // negative: refused
  std::string reason;       // of the refusal
  bool chosen = false;
  std::string key;  // of the node's timings, in a timing cache
};

struct BuildOptions {
  const Device* device = nullptr;  // to tune on and for; null: a new one, with `threads`
  int threads = 0;
  Tuning tuning = Tuning::fast;
  double tune_seconds = 0;         // time budget; when it is spent estimates decide for the rest. 0: none
  std::string timing_cache;        // file to read and write; empty: none
  std::string* timings = nullptr;  // a timing cache as text (Timings), read and replaced; null: the file
  bool timings_by_name = false;    // nodes that are alike are timed and chosen one by one
  std::string isa;                 // build for this level (planish.h: isa); empty: this machine's
  bool fuse = true;                // false: reference kernels only, to compare with
  bool tf32 = true;                // fp32 products may take two bf16 parts of each operand: 16 bits of them count
  bool bf16 = false;               // fp32 products may be done in bf16
  bool fp16 = false;               // a GPU stores values as fp16, sums are fp32
  std::string cuda;      // build for a GPU of this architecture ("sm_90a"), here or not; empty: for the device
  bool fallback = true;  // false: what a GPU has no kernel for is an error, not a step of the host
  // Returns false to cancel: build throws Error(cancelled). An exception that leaves it is rethrown by build.
  std::function<bool(const BuildProgress&)> progress;
  std::function<void(const CandidateReport&)> candidates;
  // Texts that the plan carries, by key.
  std::vector<std::pair<std::string, std::string>> notes;
  // Table of calibrate(), or of TensorRT: products may take integers of 8 bits. Empty: none do, but in Q/DQ networks.
  std::string calibration;
  bool calibration_partial = false;      // layers whose tensors the table lacks stay fp32; false: an error
  std::vector<std::string> fp32_layers;  // names of nodes that stay fp32 whatever the table says
  int weight_bits = 0;        // 8 or 4: constant matrices become numbers of so many bits; 0: they stay floats
  int weight_block = 0;       // rows that share a scale, 16 to 256; -1: a scale a column; 0: that for 8 bits, 32 for 4
  bool weight_zeros = false;  // a zero point for each block
  bool dynamic = false;       // rows become integers of 8 bits as they come, weights of 8 bits, a scale a column
  std::vector<std::string> float_weights;  // names of layers whose weights stay floats
  // One set of ranges each, tuned and planned for; a context chooses one. Empty: one, of Network::set_range.
  std::vector<InputRanges> profiles;
};

// One input of a sample; the memory is the caller's, until the next call.
struct SampleInput {
  Extents extents;  // come as the input's own, typical ones where they are dynamic
  const void* data = nullptr;
};
using Samples = std::map<std::string, SampleInput>;  // by input

struct CalibrationOptions {
  const Device* device = nullptr;
  int threads = 0;
  std::string method = "entropy";  // minmax, percentile, mse, best
  double percent = 99.99;          // of the values, that percentile covers
  bool correct_bias = false;       // the table gets the means that take the weights' rounding out of the mean results
  int count = 0;                   // samples that are expected, for progress; 0: unknown
  InputRanges profile;             // of dynamic extents
  std::function<bool(const BuildProgress&)> progress;
};

namespace detail {

// Callbacks of one build, with what they threw.
struct BuildCallbacks {
  const BuildOptions& options;
  std::exception_ptr thrown;
  std::string timings;

  int32_t wrote(const void* data, size_t size) noexcept {
    try {
      options.timings->assign(static_cast<const char*>(data), size);
      return 1;
    } catch (...) {
      thrown = std::current_exception();
      return 0;
    }
  }
  bool said(const BuildProgress& progress) noexcept {
    try {
      return options.progress(progress);
    } catch (...) {
      thrown = std::current_exception();
      return false;
    }
  }
  void said(const CandidateReport& report) noexcept {
    try {
      if (!thrown) options.candidates(report);
    } catch (...) {
      thrown = std::current_exception();
    }
  }
};

inline planish_build_options c_options(const BuildOptions& options, BuildCallbacks& callbacks) {
  auto c = sized<planish_build_options>();
  c.device = options.device == nullptr ? nullptr : options.device->handle();
  c.threads = options.threads;
  c.tuning = static_cast<planish_tuning>(options.tuning);
  c.tune_seconds = options.tune_seconds;
  c.timing_cache = options.timing_cache.empty() ? nullptr : detail::c_path(options.timing_cache);
  c.isa = options.isa.empty() ? nullptr : options.isa.c_str();
  c.no_fusion = options.fuse ? 0 : 1;
  c.no_tf32 = options.tf32 ? 0 : 1;
  c.bf16 = options.bf16 ? 1 : 0;
  c.fp16 = options.fp16 ? 1 : 0;
  c.cuda = options.cuda.empty() ? nullptr : options.cuda.c_str();
  c.no_fallback = options.fallback ? 0 : 1;
  c.timings_by_name = options.timings_by_name ? 1 : 0;
  if (options.timings != nullptr) {
    callbacks.timings = *options.timings;
    c.timings = callbacks.timings.data();
    c.timings_size = callbacks.timings.size();
    c.write_timings = [](void* user, const void* data, size_t size) -> int32_t {
      return static_cast<BuildCallbacks*>(user)->wrote(data, size);
    };
    c.write_timings_user = &callbacks;
  }
  if (options.progress) {
    c.progress = [](void* user, const planish_progress* p) -> int32_t {
      return static_cast<BuildCallbacks*>(user)->said(BuildProgress{p->phase, p->done, p->total}) ? 1 : 0;
    };
    c.progress_user = &callbacks;
  }
  if (options.candidates) {
    c.candidates = [](void* user, const planish_candidate* p) {
      static_cast<BuildCallbacks*>(user)->said(
          CandidateReport{p->node, p->candidate, p->microseconds, p->reason, p->chosen != 0, p->key});
    };
    c.candidates_user = &callbacks;
  }
  return c;
}

// Callbacks of one calibration, with what they threw.
struct CalibrationCallbacks {
  const CalibrationOptions& options;
  const std::function<bool(Samples&)>& next;
  std::exception_ptr thrown;

  int32_t fill(planish_sample* entries, size_t count) noexcept {
    try {
      Samples sample;
      for (size_t i = 0; i < count; ++i)
        sample[entries[i].input].extents.assign(entries[i].extents, entries[i].extents + entries[i].rank);
      if (!next(sample)) return 0;
      for (size_t i = 0; i < count; ++i) {
        const SampleInput& given = sample[entries[i].input];
        entries[i].rank = static_cast<int32_t>(std::min<size_t>(given.extents.size(), PLANISH_MAX_RANK));
        std::copy_n(given.extents.begin(), entries[i].rank, entries[i].extents);
        entries[i].data = given.data;
      }
      return 1;
    } catch (...) {
      thrown = std::current_exception();
      return -1;
    }
  }
  bool said(const BuildProgress& progress) noexcept {
    try {
      return options.progress(progress);
    } catch (...) {
      thrown = std::current_exception();
      return false;
    }
  }
};

// Ranges that contain those of every profile.
inline InputRanges union_of(const std::vector<InputRanges>& profiles) {
  std::map<std::string, InputRange> all;
  for (const InputRanges& ranges : profiles)
    for (const InputRange& range : ranges) {
      const auto [at, fresh] = all.try_emplace(range.input, range);
      if (fresh || at->second.min.size() != range.min.size()) continue;
      for (size_t i = 0; i < range.min.size() && i < range.max.size(); ++i) {
        at->second.min[i] = std::min(at->second.min[i], range.min[i]);
        at->second.max[i] = std::max(at->second.max[i], range.max[i]);
      }
    }
  InputRanges list;
  for (auto& [name, range] : all) list.push_back(std::move(range));
  return list;
}

}  // namespace detail

// The network is not changed. Equal network, options and timing cache give equal bytes.
inline Plan build(const Network& network, const BuildOptions& options = {}) {
  detail::BuildCallbacks callbacks{options, nullptr, {}};
  auto c = detail::c_options(options, callbacks);
  std::vector<std::vector<planish_range>> ranges;
  std::vector<planish_profile> profiles;
  for (const InputRanges& profile : options.profiles) {
    ranges.push_back(detail::c_ranges(profile));
    profiles.push_back({sizeof(planish_profile), ranges.back().data(), ranges.back().size()});
  }
  std::vector<const char*> fp32_layers;
  for (const std::string& name : options.fp32_layers) fp32_layers.push_back(name.c_str());
  if (!options.calibration.empty()) c.calibration = options.calibration.c_str();
  c.calibration_partial = options.calibration_partial ? 1 : 0;
  c.fp32_layers = fp32_layers.data();
  c.fp32_layer_count = fp32_layers.size();
  std::vector<const char*> float_weights;
  for (const std::string& name : options.float_weights) float_weights.push_back(name.c_str());
  c.weight_bits = options.weight_bits;
  c.weight_block = options.weight_block;
  c.weight_zeros = options.weight_zeros ? 1 : 0;
  c.dynamic = options.dynamic ? 1 : 0;
  c.float_weights = float_weights.data();
  c.float_weight_count = float_weights.size();
  std::vector<planish_note> notes;
  for (const auto& [key, text] : options.notes) notes.push_back({sizeof(planish_note), key.c_str(), text.c_str()});
  c.notes = notes.data();
  c.note_count = notes.size();
  c.profiles = profiles.data();
  c.profile_count = profiles.size();
  planish_plan* made = nullptr;
  const planish_status status = planish_build(network.handle(), &c, &made);
  if (made != nullptr && callbacks.thrown) planish_plan_destroy(made);
  if (callbacks.thrown) std::rethrow_exception(callbacks.thrown);
  detail::check(status);
  return Plan(made);
}

// Zeros for weights: it loads, says what the plan says, and computes nothing of use.
inline Plan without_weights(const void* plan, size_t size) {
  planish_plan* made = nullptr;
  detail::check(planish_plan_without_weights(plan, size, &made));
  return Plan(made);
}

// Runs samples through the network and finds the ranges of its values: the table, in TensorRT's text form, for
// BuildOptions::calibration. `next` fills the data of every input, or returns false when there are no more.
inline std::string calibrate(const Network& network, const std::function<bool(Samples&)>& next,
                             const CalibrationOptions& options = {}) {
  detail::CalibrationCallbacks callbacks{options, next, nullptr};
  auto c = detail::sized<planish_calibration_options>();
  c.device = options.device == nullptr ? nullptr : options.device->handle();
  c.threads = options.threads;
  c.method = options.method.c_str();
  c.percent = options.percent;
  c.count = options.count;
  c.correct_bias = options.correct_bias ? 1 : 0;
  c.samples = [](void* user, planish_sample* entries, size_t count) -> int32_t {
    return static_cast<detail::CalibrationCallbacks*>(user)->fill(entries, count);
  };
  c.samples_user = &callbacks;
  const std::vector<planish_range> ranges = detail::c_ranges(options.profile);
  const planish_profile profile{sizeof(planish_profile), ranges.data(), ranges.size()};
  if (!ranges.empty()) c.profile = &profile;
  if (options.progress) {
    c.progress = [](void* user, const planish_progress* p) -> int32_t {
      return static_cast<detail::CalibrationCallbacks*>(user)->said(BuildProgress{p->phase, p->done, p->total}) ? 1 : 0;
    };
    c.progress_user = &callbacks;
  }
  const char* table = nullptr;
  const planish_status status = planish_calibrate(network.handle(), &c, &table);
  if (callbacks.thrown) std::rethrow_exception(callbacks.thrown);
  detail::check(status);
  return table;
}

// Reads an .onnx file, or a .prototxt with the weights that `import` names, with the profiles' ranges for its dynamic
// inputs, and builds it.
inline Plan build(const std::string& model, const BuildOptions& options = {}, const ImportOptions& import = {}) {
  return build(Network::import_file(model, detail::union_of(options.profiles), import), options);
}

}  // namespace v0
}  // namespace planish
