// What is said of a model when its file is read: ranges of its extents, and what stands beside it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "planish/planish_build.h"
#include "planish/types.hpp"

namespace planish {
inline namespace v0 {

// Extents of an input that a profile (or an import) serves: from min to max, fastest at opt.
struct InputRange {
  std::string input;
  Extents min, opt, max;
  static InputRange fixed(std::string input, Extents extents) { return {std::move(input), extents, extents, extents}; }
};
using InputRanges = std::vector<InputRange>;

// How a model is read, and what stands beside a Caffe network's text (.prototxt).
struct ImportOptions {
  bool keep_dynamic = false;                 // dynamic axes without a range stay so; a build needs a range for them
  std::string weights;                       // the path of a .caffemodel, or a name for its bytes
  std::span<const std::byte> weights_bytes;  // empty: `weights` is a path
  bool random_weights = false;               // seeded values where there are no weights
  bool keep_values = false;   // no output is marked, nothing removed: find() knows every blob by its name
  std::string batch;          // a name for the first extent of every input, which is dynamic then
  bool half_weights = false;  // what is learned is rounded to f16
};

// A mean image (.binaryproto).
struct Mean {
  Extents extents;
  std::vector<float> values;

  static Mean read(const std::string& path, std::span<const std::byte> bytes = {}) {
    Mean mean;
    int32_t rank = 0;
    size_t count = 0;
    mean.extents.resize(10);
    const auto get = [&](float* values) {
      detail::check(planish_read_mean(detail::c_path(path), bytes.data(), bytes.size(), mean.extents.data(), &rank,
                                      values, &count));
    };
    get(nullptr);
    mean.values.resize(count);
    get(mean.values.data());
    mean.extents.resize(static_cast<size_t>(rank));
    return mean;
  }
};

namespace detail {

// Ranges as the C interface takes them; points into what it was made from.
inline std::vector<planish_range> c_ranges(const InputRanges& ranges) {
  std::vector<planish_range> list;
  for (const InputRange& range : ranges) {
    if (range.min.size() != range.opt.size() || range.max.size() != range.opt.size())
      throw Error(Code::invalid_argument, "input '" + range.input + "': min, opt and max have different ranks");
    auto c = sized<planish_range>();
    c.input = range.input.c_str();
    c.rank = static_cast<int32_t>(range.opt.size());
    c.min = range.min.data();
    c.opt = range.opt.data();
    c.max = range.max.data();
    list.push_back(c);
  }
  return list;
}

}  // namespace detail

}  // namespace v0
}  // namespace planish
