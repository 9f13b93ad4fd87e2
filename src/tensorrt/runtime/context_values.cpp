// Inputs that hold extents: their values lie in host memory and are read when an execution is enqueued.

#include <algorithm>
#include <cstring>

#include "tensorrt/runtime/context.h"

namespace planish::tensorrt {
namespace {

template <class Wide>
std::vector<int64_t> integers_at(const void* memory, size_t count) {
  std::vector<Wide> values(count);
  std::memcpy(values.data(), memory, count * sizeof(Wide));
  return {values.begin(), values.end()};
}

std::vector<int64_t> integers_of(const Io& io, const void* memory, size_t count) {
  return io.element_bytes == sizeof(int64_t) ? integers_at<int64_t>(memory, count)
                                             : integers_at<int32_t>(memory, count);
}

bool holds_integers(const Io& io) {
  return io.type == nvinfer1::DataType::kINT32 || io.type == nvinfer1::DataType::kINT64;
}

}  // namespace

ContextImpl::GivenValues* ContextImpl::values_of(int input) {
  const auto at = std::find_if(given_.begin(), given_.end(), [&](const auto& one) { return one.input == input; });
  return at == given_.end() ? nullptr : &*at;
}

// The profile's bounds hold where it has some of these elements.
void ContextImpl::check_values(const GivenValues& given, const std::vector<int64_t>& values) const {
  const ShapeValues* bounds = plan_->shape_values(given.input, profile_);
  for (size_t i = 0; bounds != nullptr && i < std::min(values.size(), bounds->values[0].size()); ++i)
    if (values[i] < bounds->values[0][i] || values[i] > bounds->values[2][i])
      refuse("element " + std::to_string(i) + " of '" + io(given.input).name + "' is " + std::to_string(values[i]) +
             ", profile " + std::to_string(profile_) + " accepts " + std::to_string(bounds->values[0][i]) + " to " +
             std::to_string(bounds->values[2][i]));
}

std::vector<int64_t> ContextImpl::values_at(const GivenValues& given) const {
  const auto index = static_cast<size_t>(given.input);
  const int64_t count = element_count(now_.shapes[index]);
  if (!given.values.empty() && static_cast<int64_t>(given.values.size()) == count) return given.values;
  if (count < 0) refuse("input '" + io(given.input).name + "' has dynamic dimensions that were not set");
  if (now_.addresses[index] == nullptr && count > 0) refuse("input '" + io(given.input).name + "' has no address");
  return integers_of(io(given.input), now_.addresses[index], static_cast<size_t>(count));
}

void ContextImpl::read_values() {
  auto memory = std::make_shared<std::vector<std::vector<char>>>(now_.addresses.size());
  for (const GivenValues& given : given_) {
    const std::vector<int64_t> values = values_at(given);
    check_values(given, values);
    std::vector<char>& bytes = (*memory)[static_cast<size_t>(given.input)];
    const std::vector<int32_t> narrow(values.begin(), values.end());
    const bool wide = io(given.input).element_bytes == sizeof(int64_t);
    const auto* from =
        wide ? reinterpret_cast<const char*>(values.data()) : reinterpret_cast<const char*>(narrow.data());
    bytes.assign(from, from + values.size() * io(given.input).element_bytes);
  }
  now_.values = std::move(memory);
  values_run_ = true;
}

bool ContextImpl::setInputShapeBinding(int32_t index, int32_t const* data) {
  return reporter_.guard("setInputShapeBinding", false, [&] {
    const Turn turn(taken_);
    const int tensor = own_binding(index);
    if (data == nullptr) refuse("the values are null");
    GivenValues* given = values_of(tensor);
    if (given == nullptr) refuse("'" + io(tensor).name + "' is no input of extents");
    const int64_t count = element_count(now_.shapes[static_cast<size_t>(tensor)]);
    if (count < 0) refuse("input '" + io(tensor).name + "' has dynamic dimensions that were not set");
    const std::vector<int64_t> values(data, data + count);
    check_values(*given, values);
    given->values = values;
    values_run_ = false;
    return true;
  });
}

// Of an output: what the last execution left in the caller's memory.
bool ContextImpl::getShapeBinding(int32_t index, int32_t* data) const {
  return reporter_.guard("getShapeBinding", false, [&] {
    const int tensor = own_binding(index);
    if (data == nullptr) refuse("there is no place for the values");
    std::vector<int64_t> values;
    if (const GivenValues* given = const_cast<ContextImpl*>(this)->values_of(tensor)) {
      values = values_at(*given);
    } else {
      const Extents extents = shape(tensor);
      const void* memory = now_.addresses[static_cast<size_t>(tensor)];
      if (io(tensor).is_input || !holds_integers(io(tensor)) || extents.size() > 1 || device_->on_gpu())
        refuse("'" + io(tensor).name + "' holds no extents in host memory");
      if (memory == nullptr || element_count(extents) < 0)
        throw Error(Code::invalid_state, "'" + io(tensor).name + "' is known when an execution has ended");
      runner_.wait();
      values = integers_of(io(tensor), memory, static_cast<size_t>(element_count(extents)));
    }
    std::copy(values.begin(), values.end(), data);
    return true;
  });
}

}  // namespace planish::tensorrt
