#include "importers/caffe/graph/geometry.h"

#include "base/error.h"

namespace planish::caffe {

std::vector<int64_t> spatial_values(const text::Message& param, const std::string& name, const std::string& of_axis,
                                    size_t spatial, int64_t fallback) {
  const std::string height = of_axis + "_h", width = of_axis + "_w";
  if (param.has(height) || param.has(width)) {
    if (param.has(name)) fail(Code::invalid_model, "both {} and {} or {}; one form is accepted", name, height, width);
    if (spatial != 2)
      fail(Code::invalid_model, "{} and {} for {} spatial axes; 2 are accepted", height, width, spatial);
    const int64_t absent = fallback < 0 ? 0 : fallback;
    return {param.integer(height, absent), param.integer(width, absent)};
  }
  std::vector<int64_t> values;
  if (const text::Field* field = param.type().find(name); field->repeated)
    values = param.integers(name);
  else if (param.has(name))
    values = {param.integer(name)};
  if (values.empty() && fallback < 0)
    fail(Code::invalid_model, "neither {} nor {} and {} are given", name, height, width);
  if (values.empty()) values = {fallback};
  if (values.size() == 1) values.assign(spatial, values[0]);
  if (values.size() != spatial)
    fail(Code::invalid_model, "{} values of {} for {} spatial axes", values.size(), name, spatial);
  return values;
}

std::vector<int64_t> both_sides(const std::vector<int64_t>& pads) {
  std::vector<int64_t> both = pads;
  both.insert(both.end(), pads.begin(), pads.end());
  return both;
}

}  // namespace planish::caffe
