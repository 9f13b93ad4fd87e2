#include "tensorrt/build/plan_build.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace planish::tensorrt {
namespace {

// A timing cache as the file that a build wants; what the build wrote goes back into it.
class CacheFile {
 public:
  explicit CacheFile(std::string* cache) : cache_(cache) {
    if (cache == nullptr) return;
    char name[] = "/tmp/planish_timing_XXXXXX";
    const int file = mkstemp(name);
    if (file < 0) return;
    close(file);
    path_ = name;
    if (cache->empty())
      std::remove(name);
    else
      std::ofstream(path_, std::ios::binary) << *cache;
  }
  ~CacheFile() {
    if (!path_.empty()) std::remove(path_.c_str());
  }
  CacheFile(const CacheFile&) = delete;
  CacheFile& operator=(const CacheFile&) = delete;

  const std::string& path() const { return path_; }
  void keep() const {
    if (path_.empty()) return;
    std::ostringstream bytes;
    bytes << std::ifstream(path_, std::ios::binary).rdbuf();
    *cache_ = bytes.str();
  }

 private:
  std::string* cache_;
  std::string path_;
};

void put_extents(Packer& packer, const Extents& extents) {
  packer.put(static_cast<int64_t>(extents.size()));
  for (int64_t extent : extents) packer.put(extent);
}

Extents extents_from(Unpacker& in) {
  Extents extents;
  for (int64_t i = 0, n = in.count(); i < n; ++i) extents.push_back(in.number());
  return extents;
}

}  // namespace

Blob build_plan(const Network& network, BuildOptions options, std::string* cache) {
  const CacheFile file(cache);
  options.timing_cache = file.path();
  auto plan = std::make_shared<Plan>(planish::build(network, options));
  file.keep();
  return {std::shared_ptr<const void>(plan, plan->bytes().data()), plan->bytes().size()};
}

std::string pack(const BuildOptions& options) {
  Packer packer;
  packer.put(int64_t{options.threads}).put(static_cast<int64_t>(options.tuning));
  packer.put(int64_t{options.tf32}).put(int64_t{options.bf16});
  packer.put(options.calibration).put(int64_t{options.calibration_partial});
  packer.put(static_cast<int64_t>(options.fp32_layers.size()));
  for (const std::string& layer : options.fp32_layers) packer.put(layer);
  packer.put(static_cast<int64_t>(options.notes.size()));
  for (const auto& [key, text] : options.notes) packer.put(key).put(text);
  packer.put(static_cast<int64_t>(options.profiles.size()));
  for (const InputRanges& ranges : options.profiles) {
    packer.put(static_cast<int64_t>(ranges.size()));
    for (const InputRange& range : ranges) {
      packer.put(range.input);
      for (const Extents* extents : {&range.min, &range.opt, &range.max}) put_extents(packer, *extents);
    }
  }
  packer.put(int64_t{options.fp16});
  return packer.bytes;
}

BuildOptions unpack(std::string_view bytes) {
  Unpacker in(bytes);
  BuildOptions options;
  options.threads = static_cast<int>(in.number());
  options.tuning = static_cast<Tuning>(in.number());
  options.tf32 = in.number() != 0;
  options.bf16 = in.number() != 0;
  options.calibration = in.text();
  options.calibration_partial = in.number() != 0;
  for (int64_t i = 0, n = in.count(); i < n; ++i) options.fp32_layers.push_back(in.text());
  for (int64_t i = 0, n = in.count(); i < n; ++i) {
    std::string key = in.text(), text = in.text();
    options.notes.emplace_back(std::move(key), std::move(text));
  }
  for (int64_t i = 0, n = in.count(); i < n; ++i) {
    InputRanges& ranges = options.profiles.emplace_back();
    for (int64_t k = 0, inputs = in.count(); k < inputs; ++k) {
      InputRange& range = ranges.emplace_back();
      range.input = in.text();
      for (Extents* extents : {&range.min, &range.opt, &range.max}) *extents = extents_from(in);
    }
  }
  options.fp16 = in.number() != 0;
  return options;
}

// Kernels are chosen by the same timings again.
Blob build_refittable(const Network& network, const BuildOptions& options, RefitRecord record) {
  const Blob plan = build_plan(network, options, &record.cache);
  record.network = network.bytes();
  record.options = pack(options);
  return with_record(plan, record);
}

}  // namespace planish::tensorrt
