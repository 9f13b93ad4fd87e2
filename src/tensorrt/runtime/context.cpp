#include "tensorrt/runtime/context.h"

#include <algorithm>
#include <utility>

#include "tensorrt/runtime/cuda.h"

namespace planish::tensorrt {

ContextImpl::ContextImpl(const EngineImpl& engine, std::shared_ptr<EngineDevice> device,
                         nvinfer1::ExecutionContextAllocationStrategy strategy)
    : shared_(engine.shared()),
      exchanges_(shared_->exchanges()),
      plan_(shared_->get()),
      device_(std::move(device)),
      reporter_(engine.reporter()),
      strategy_(strategy),
      runner_(plan_, device_, reporter_) {
  const size_t count = plan_->ios().size();
  now_.addresses.assign(count, nullptr);
  now_.allocators.assign(count, nullptr);
  for (size_t i = 0; i < count; ++i) {
    now_.shapes.add(io(static_cast<int>(i)).extents);
    if (plan_->shape_values(static_cast<int>(i), 0) != nullptr) given_.push_back({static_cast<int>(i), {}});
  }
}

nvinfer1::ICudaEngine const& ContextImpl::getEngine() const {
  if (const EngineImpl* engine = shared_->engine.load()) return *engine;
  std::call_once(engine_gone_, [&] { stand_in_ = std::make_unique<EngineImpl>(shared_, device_, reporter_); });
  return *stand_in_;
}

// The caller's memory stays where another profile needs no more of it; else there is none until it is given again.
void ContextImpl::open(int profile) {
  if (strategy_ != nvinfer1::ExecutionContextAllocationStrategy::kUSER_MANAGED)
    runner_.open(profile, nullptr, 0);
  else if (memory_bytes_ >= plan_->arena_bytes(profile))
    runner_.open(profile, memory_, static_cast<size_t>(memory_bytes_));
  else
    runner_.close();
}

// It is as large as what it is used for needs: the caller answers for that.
void ContextImpl::setDeviceMemory(void* memory) { setDeviceMemoryV2(memory, INT64_MAX); }

void ContextImpl::setDeviceMemoryV2(void* memory, int64_t size) {
  reporter_.guard("setDeviceMemory", [&] {
    if (strategy_ != nvinfer1::ExecutionContextAllocationStrategy::kUSER_MANAGED)
      throw Error(Code::invalid_state, "the context has memory of its own; kUSER_MANAGED lets the caller give it");
    if (memory == nullptr && plan_->arena_bytes(profile_) > 0) refuse("the memory is null");
    const int64_t bytes = memory == nullptr ? 0 : std::max<int64_t>(size, 0);
    runner_.open(profile_, memory, static_cast<size_t>(bytes));
    memory_ = memory;
    memory_bytes_ = bytes;
  });
}

size_t ContextImpl::updateDeviceMemorySizeForShapes() {
  return reporter_.guard("updateDeviceMemorySizeForShapes", size_t{0},
                         [&] { return static_cast<size_t>(plan_->arena_bytes(profile_)); });
}

bool ContextImpl::setDebugListener(nvinfer1::IDebugListener* listener) {
  if (listener == nullptr) return true;
  reporter_.say_once(Severity::kWARNING, "values are not shown to debug listeners: none is set");
  return false;
}

bool ContextImpl::setOptimizationProfile(int32_t profile) {
  return reporter_.guard("setOptimizationProfile", false, [&] {
    if (profile < 0 || profile >= plan_->profile_count())
      refuse("profile " + std::to_string(profile) + " of " + std::to_string(plan_->profile_count()));
    if (profile == profile_) return true;
    open(profile);
    profile_ = profile;
    for (size_t i = 0; i < now_.shapes.size(); ++i) now_.shapes.set(i, io(static_cast<int>(i)).extents);
    for (GivenValues& given : given_) given.values.clear();
    values_run_ = false;
    return true;
  });
}

void ContextImpl::set_shape(int index, const Extents& shown) {
  const Io& tensor = io(index);
  if (!tensor.is_input) refuse("'" + tensor.name + "' is an output; its shape follows from those of the inputs");
  Extents extents = shown;
  if (plan_->implicit_batch()) extents.insert(extents.begin(), tensor.extents.at(0));
  const Range range = plan_->range(index, profile_);
  bool fits = extents.size() == tensor.extents.size();
  for (size_t i = plan_->implicit_batch() ? 1 : 0; fits && i < extents.size(); ++i)
    fits = extents[i] >= range.min[i] && extents[i] <= range.max[i];
  if (!fits)
    refuse("input '" + tensor.name + "' is given " + text_of(extents) + ", profile " + std::to_string(profile_) +
           " accepts " + text_of(range.min) + " to " + text_of(range.max));
  now_.shapes.set(static_cast<size_t>(index), std::move(extents));
}

bool ContextImpl::complete() const {
  for (size_t i = 0; i < now_.shapes.size(); ++i)
    if (io(static_cast<int>(i)).is_input)
      for (int64_t extent : now_.shapes[i])
        if (extent < 0) return false;
  return true;
}

void ContextImpl::require_complete() const {
  if (complete_.same_as(now_.shapes)) return;
  for (size_t i = 0; i < now_.shapes.size(); ++i) {
    const Io& tensor = io(static_cast<int>(i));
    if (tensor.is_input && std::count(now_.shapes[i].begin(), now_.shapes[i].end(), -1) > 0)
      throw Error(Code::invalid_state, "input '" + tensor.name + "' has dynamic dimensions that were not set");
  }
  complete_ = now_.shapes;
}

// What holds no elements needs none, nor what data decides: where it lies the run says.
void ContextImpl::require_addresses() const {
  for (size_t i = 0; i < now_.addresses.size(); ++i) {
    if (now_.addresses[i] != nullptr || now_.allocators[i] != nullptr) continue;
    if (now_.values != nullptr && !(*now_.values)[i].empty()) continue;
    const Extents extents = shape(static_cast<int>(i));
    if (std::any_of(extents.begin(), extents.end(), [](int64_t extent) { return extent <= 0; })) continue;
    const Io& tensor = io(static_cast<int>(i));
    refuse((tensor.is_input ? "input '" : "output '") + tensor.name + "' has no address");
  }
}

Extents ContextImpl::shape(int index) const {
  if (io(index).is_input || !complete()) return now_.shapes[static_cast<size_t>(index)];
  const Extents found = runner_.shape(index, now_);
  return given_.empty() || values_run_ || !runner_.is_late(index) ? found : io(index).extents;
}

bool ContextImpl::setInputShape(char const* name, nvinfer1::Dims const& dims) {
  return reporter_.guard("setInputShape", false, [&] {
    const Turn turn(taken_);
    set_shape(plan_->io_at(name), extents_of(dims));
    return true;
  });
}

nvinfer1::Dims ContextImpl::getTensorShape(char const* name) const {
  return reporter_.guard("getTensorShape", no_dims(), [&] { return dims_of(plan_->shown(shape(plan_->io_at(name)))); });
}

nvinfer1::Dims ContextImpl::strides(int index) const {
  Extents strides = shape(index);
  int64_t step = 1;
  for (size_t i = strides.size(); i-- > 0;) {
    const int64_t extent = strides[i];
    strides[i] = step;
    step = extent < 0 || step < 0 ? -1 : step * extent;
  }
  return dims_of(plan_->shown(strides));
}

nvinfer1::Dims ContextImpl::getTensorStrides(char const* name) const {
  return reporter_.guard("getTensorStrides", no_dims(), [&] { return strides(plan_->io_at(name)); });
}

bool ContextImpl::setTensorAddress(char const* name, void* data) {
  return reporter_.guard("setTensorAddress", false, [&] {
    set_address(plan_->io_at(name), data);
    return true;
  });
}

// An address takes the place of values that were given.
void ContextImpl::set_address(int index, void* data) {
  now_.addresses[static_cast<size_t>(index)] = data;
  if (GivenValues* given = values_of(index)) {
    given->values.clear();
    values_run_ = false;
  }
}

void const* ContextImpl::getTensorAddress(char const* name) const {
  return reporter_.guard("getTensorAddress", static_cast<void*>(nullptr),
                         [&] { return now_.addresses[static_cast<size_t>(plan_->io_at(name))]; });
}

bool ContextImpl::setInputTensorAddress(char const* name, void const* data) {
  return reporter_.guard("setInputTensorAddress", false, [&] {
    const int index = plan_->io_at(name);
    if (!io(index).is_input) refuse("'" + io(index).name + "' is an output");
    set_address(index, const_cast<void*>(data));
    return true;
  });
}

bool ContextImpl::setOutputTensorAddress(char const* name, void* data) {
  return reporter_.guard("setOutputTensorAddress", false, [&] {
    const int index = plan_->io_at(name);
    if (io(index).is_input) refuse("'" + io(index).name + "' is an input");
    now_.addresses[static_cast<size_t>(index)] = data;
    return true;
  });
}

void* ContextImpl::getOutputTensorAddress(char const* name) const {
  return reporter_.guard("getOutputTensorAddress", static_cast<void*>(nullptr), [&]() -> void* {
    const int index = plan_->io_at(name);
    return io(index).is_input ? nullptr : now_.addresses[static_cast<size_t>(index)];
  });
}

bool ContextImpl::setOutputAllocator(char const* name, nvinfer1::IOutputAllocator* allocator) {
  return reporter_.guard("setOutputAllocator", false, [&] {
    const int index = plan_->io_at(name);
    if (io(index).is_input) refuse("'" + io(index).name + "' is an input");
    now_.allocators[static_cast<size_t>(index)] = allocator;
    return true;
  });
}

nvinfer1::IOutputAllocator* ContextImpl::getOutputAllocator(char const* name) const {
  return reporter_.guard("getOutputAllocator", static_cast<nvinfer1::IOutputAllocator*>(nullptr),
                         [&] { return now_.allocators[static_cast<size_t>(plan_->io_at(name))]; });
}

int64_t ContextImpl::getMaxOutputSize(char const* name) const {
  return reporter_.guard("getMaxOutputSize", int64_t{-1}, [&] {
    const int index = plan_->io_at(name);
    if (io(index).is_input) refuse("'" + io(index).name + "' is an input");
    const int64_t bytes = complete() ? runner_.bytes(index, now_) : -1;
    if (bytes >= 0) return bytes;
    const Extents most = plan_->range(index, profile_).max;
    return element_count(most) * static_cast<int64_t>(io(index).element_bytes);
  });
}

int32_t ContextImpl::inferShapes(int32_t most, char const** names) {
  return reporter_.guard("inferShapes", int32_t{-1}, [&] {
    int32_t missing = 0;
    for (size_t i = 0; i < now_.shapes.size(); ++i) {
      const Io& tensor = io(static_cast<int>(i));
      if (!tensor.is_input || std::count(now_.shapes[i].begin(), now_.shapes[i].end(), -1) == 0) continue;
      if (missing < most && names != nullptr) names[missing] = tensor.name.c_str();
      ++missing;
    }
    if (missing == 0 && now_.shapes.size() > 0) runner_.shape(0, now_);
    return missing;
  });
}

bool ContextImpl::allInputDimensionsSpecified() const { return complete(); }

bool ContextImpl::allInputShapesSpecified() const {
  for (const GivenValues& given : given_)
    if (given.values.empty() && now_.addresses[static_cast<size_t>(given.input)] == nullptr) return false;
  return true;
}

void ContextImpl::follow_engine() {
  const uint32_t exchanges = shared_->exchanges();
  if (exchanges == exchanges_) return;
  auto plan = shared_->get();
  runner_.replace(plan, profile_);
  plan_ = std::move(plan);
  exchanges_ = exchanges;
}

void ContextImpl::start(cudaStream_t stream, bool wait) {
  follow_engine();
  if (plan_->stripped_bytes() > 0)
    throw Error(Code::invalid_state, "the plan was built without its weights (kSTRIP_PLAN); an IRefitter gives them");
  require_complete();
  if (!given_.empty()) read_values();
  if (std::find(now_.addresses.begin(), now_.addresses.end(), nullptr) != now_.addresses.end()) require_addresses();
  if (profiler_ != nullptr) take_times();
  now_.stream = stream;
  if (runner_.on_gpu()) return put(stream, wait);
  // Callers read what output allocators were told as soon as this returns.
  const bool allocates =
      std::any_of(now_.allocators.begin(), now_.allocators.end(), [](auto* a) { return a != nullptr; });
  const bool at_once = wait || debug_sync_ || stream == nullptr || (profiler_ != nullptr && emits_profile_) ||
                       (allocates && !is_capturing(stream));
  if (!at_once && runner_.enqueue(now_, stream)) {
    record_event(consumed_, stream);
    return;
  }
  if (!wait_for_stream(stream)) refuse_stream();
  call_here([&] { runner_.run(now_); });
  record_event(consumed_, stream);
  if (profiler_ != nullptr && emits_profile_) reportToProfiler();
}

// On a GPU all streams, the default one too, take the work as it is.
void ContextImpl::put(cudaStream_t stream, bool wait) {
  runner_.put(now_, stream);
  record_event(consumed_, stream);
  if (wait || debug_sync_) runner_.synchronize(stream);
  if (profiler_ != nullptr && emits_profile_) reportToProfiler();
}

bool ContextImpl::enqueueV3(cudaStream_t stream) {
  return reporter_.guard("enqueueV3", false, [&] {
    const Turn turn(taken_);
    start(stream, false);
    return true;
  });
}

void ContextImpl::setProfiler(nvinfer1::IProfiler* profiler) {
  reporter_.guard("setProfiler", [&] {
    profiler_ = profiler;
    if (profiler == nullptr) return runner_.set_profile({});
    runner_.set_profile([this](const char* name, double milliseconds) {
      const std::lock_guard lock(times_mutex_);
      times_.emplace_back(name, milliseconds);
    });
  });
}

ContextImpl::LayerTimes ContextImpl::take_times() const {
  const std::lock_guard lock(times_mutex_);
  return std::exchange(times_, {});
}

bool ContextImpl::reportToProfiler() const {
  return reporter_.guard("reportToProfiler", false, [&] {
    runner_.wait();
    const LayerTimes times = take_times();
    if (profiler_ == nullptr || times.empty()) return false;
    for (const auto& [name, milliseconds] : times)
      profiler_->reportLayerTime(name.c_str(), static_cast<float>(milliseconds));
    return true;
  });
}

}  // namespace planish::tensorrt
