#include "tensorrt/runtime/runner.h"

#include <cstring>
#include <utility>

#include "tensorrt/runtime/cuda.h"

namespace planish::tensorrt {

// An execution that waits for its stream.
struct Runner::Job {
  Runner* runner = nullptr;
  Snapshot snapshot;
  bool captured = false;  // may run many times
};

void refuse_stream() { refuse("there is no such stream; it was destroyed, or is no stream of this process"); }

Runner::Runner(std::shared_ptr<const LoadedPlan> plan, std::shared_ptr<EngineDevice> device, const Reporter& reporter)
    : plan_(std::move(plan)), device_(std::move(device)), reporter_(reporter) {}

// On a GPU the plan's context waits for the rest.
Runner::~Runner() {
  try {
    wait();
  } catch (const Error&) {  // of a lost device
  }
}

void Runner::wait() {
  {
    std::unique_lock lock(jobs_mutex_);
    jobs_done_.wait(lock, [&] { return in_flight_ == 0; });
  }
  const std::lock_guard lock(mutex_);
  wait_for_delivery();
}

void Runner::wait_for_delivery() {
  if (std::exchange(delivering_, false)) delivered_->synchronize();
}

void Runner::open(int profile, void* arena, size_t arena_bytes) {
  wait();
  const std::lock_guard lock(mutex_);
  auto options = detail::sized<planish_context_options>();
  options.profile = profile;
  options.arena = arena;
  options.arena_bytes = arena_bytes;
  planish_context* made = nullptr;
  {
    const PluginSession::Scope scope(*plan_->session());
    detail::check(planish_context_create(plan_->engine(), &options, &made));
  }
  context_.reset(made);
  arena_ = arena;
  arena_bytes_ = arena_bytes;
  shapes_.assign(plan_->ios().size(), {});
  addresses_.assign(plan_->ios().size(), nullptr);
  bytes_.assign(plan_->ios().size(), -1);
  late_.clear();
  shapes_given_ = false;
  install_profile();
}

void Runner::close() {
  wait();
  const std::lock_guard lock(mutex_);
  context_.reset();
}

void Runner::replace(std::shared_ptr<const LoadedPlan> plan, int profile) {
  wait();
  const bool opened = context_ != nullptr;
  context_.reset();
  plan_ = std::move(plan);
  if (opened) open(profile, arena_, arena_bytes_);
}

void Runner::install_profile() {
  const planish_profiler_fn call = [](void* user, const planish_step_timing* step) {
    (*static_cast<Profile*>(user))(step->name, step->milliseconds);
  };
  detail::check(planish_context_set_profiler(context_.get(), profile_ ? call : nullptr, &profile_));
}

void Runner::set_profile(Profile profile) {
  wait();
  const std::lock_guard lock(mutex_);
  profile_ = std::move(profile);
  if (context_ != nullptr) install_profile();
}

void Runner::apply_shapes(const Snapshot& snapshot) {
  if (context_ == nullptr)
    throw Error(Code::invalid_state,
                "the context has no memory for intermediate values; setDeviceMemory gives it some");
  if (shapes_given_ && settled_.same_as(snapshot.shapes)) return;
  bool changed = !shapes_given_;
  for (size_t i = 0; i < shapes_.size(); ++i) {
    const Io& io = plan_->ios()[i];
    if (!io.is_input || (shapes_given_ && shapes_[i] == snapshot.shapes[i])) continue;
    changed = true;
    shapes_given_ = false;
    detail::check(planish_context_set_shape(context_.get(), io.name.c_str(), snapshot.shapes[i].data(),
                                            static_cast<int32_t>(snapshot.shapes[i].size())));
    shapes_[i] = snapshot.shapes[i];
  }
  settled_ = snapshot.shapes;
  if (!changed) return;
  for (size_t i = 0; i < shapes_.size(); ++i) measure(i);
  if (late_.empty())
    for (int64_t bytes : bytes_) late_.push_back(bytes < 0);
  addresses_.assign(addresses_.size(), nullptr);
  shapes_given_ = true;
}

void Runner::measure(size_t index) {
  bytes_[index] = -1;
  if (!late_.empty() && late_[index]) return;
  int64_t extents[PLANISH_MAX_RANK];
  int32_t rank = 0;
  const char* name = plan_->ios()[index].name.c_str();
  if (planish_context_get_shape(context_.get(), name, extents, &rank) != PLANISH_OK) return;  // data decides
  for (int32_t axis = 0; axis < rank; ++axis)
    if (extents[axis] < 0) return;
  detail::check(planish_context_get_bytes(context_.get(), name, &bytes_[index]));
}

void Runner::bind(const Snapshot& snapshot) {
  for (size_t i = 0; i < addresses_.size(); ++i) {
    const Io& io = plan_->ios()[i];
    void* address = snapshot.addresses[i];
    if (snapshot.values != nullptr && !(*snapshot.values)[i].empty()) address = (*snapshot.values)[i].data();
    if (bytes_[i] >= 0 && snapshot.allocators[i] != nullptr)
      address = snapshot.allocators[i]->reallocateOutputAsync(
          io.name.c_str(), address, static_cast<uint64_t>(std::max<int64_t>(bytes_[i], 1)), 256, snapshot.stream);
    if (bytes_[i] < 0) continue;
    if (address == nullptr && bytes_[i] > 0)
      refuse((io.is_input ? "input '" : "output '") + io.name + "' has no address");
    if (address == addresses_[i] && address != nullptr) continue;
    static char nothing;
    detail::check(planish_context_bind(context_.get(), io.name.c_str(), address == nullptr ? &nothing : address,
                                       static_cast<size_t>(bytes_[i])));
    addresses_[i] = address;
  }
}

void Runner::deliver(const Snapshot& snapshot, Stream* stream) {
  for (size_t i = 0; i < bytes_.size(); ++i) {
    const Io& io = plan_->ios()[i];
    nvinfer1::IOutputAllocator* allocator = snapshot.allocators[i];
    if (io.is_input || (bytes_[i] >= 0 && allocator == nullptr)) continue;
    int64_t extents[PLANISH_MAX_RANK];
    int32_t rank = 0;
    detail::check(planish_context_get_shape(context_.get(), io.name.c_str(), extents, &rank));
    const Extents shape(extents, extents + rank);
    if (bytes_[i] < 0) {
      const void* data = nullptr;
      detail::check(planish_context_get_output(context_.get(), io.name.c_str(), &data));
      const auto size = static_cast<size_t>(element_count(shape)) * io.element_bytes;
      void* address = snapshot.addresses[i];
      if (allocator != nullptr)
        address =
            allocator->reallocateOutputAsync(io.name.c_str(), address, std::max<size_t>(size, 1), 256, snapshot.stream);
      if (address == nullptr && size > 0) refuse("output '" + io.name + "' has neither an address nor an allocator");
      if (size > 0 && stream != nullptr) {
        if (delivered_ == nullptr) delivered_ = std::make_unique<Event>(*stream);
        stream->copy(address, data, size);
        delivered_->record(*stream);
        delivering_ = true;
      }
      if (size > 0 && stream == nullptr) std::memcpy(address, data, size);
    }
    if (allocator != nullptr) allocator->notifyShape(io.name.c_str(), dims_of(plan_->shown(shape)));
  }
}

void Runner::execute(const Snapshot& snapshot, Stream* stream) {
  const std::lock_guard lock(mutex_);
  wait_for_delivery();  // from memory that this execution writes
  apply_shapes(snapshot);
  bind(snapshot);
  detail::check(planish_context_enqueue(context_.get(), stream == nullptr ? nullptr : stream->handle()));
  deliver(snapshot, stream);
}

void Runner::run(const Snapshot& snapshot) {
  wait();
  execute(snapshot, nullptr);
}

void Runner::put(const Snapshot& snapshot, cudaStream_t stream) { execute(snapshot, device_->stream(stream).get()); }
void Runner::synchronize(cudaStream_t stream) { device_->stream(stream)->synchronize(); }

Extents Runner::shape(int io, const Snapshot& snapshot) {
  wait();
  const std::lock_guard lock(mutex_);
  apply_shapes(snapshot);
  int64_t extents[PLANISH_MAX_RANK];
  int32_t rank = 0;
  const Io& tensor = plan_->ios()[static_cast<size_t>(io)];
  const planish_status status = planish_context_get_shape(context_.get(), tensor.name.c_str(), extents, &rank);
  if (status != PLANISH_OK && late_[static_cast<size_t>(io)]) return tensor.extents;  // data decides: -1 until it ran
  detail::check(status);
  return Extents(extents, extents + rank);
}

int64_t Runner::bytes(int io, const Snapshot& snapshot) {
  wait();
  const std::lock_guard lock(mutex_);
  apply_shapes(snapshot);
  return bytes_[static_cast<size_t>(io)];
}

std::unique_ptr<Runner::Job> Runner::take_job() {
  const std::lock_guard lock(jobs_mutex_);
  std::unique_ptr<Job> job;
  if (free_jobs_.empty()) {
    job = std::make_unique<Job>();
  } else {
    job = std::move(free_jobs_.back());
    free_jobs_.pop_back();
  }
  ++in_flight_;
  return job;
}

void Runner::end_job() {
  if (--in_flight_ == 0) jobs_done_.notify_all();
}

bool Runner::run_job(void* data) {
  Job* job = static_cast<Job*>(data);
  Runner* runner = job->runner;
  const bool done = runner->reporter_.guard("enqueue", false, [&] {
    runner->execute(job->snapshot, nullptr);
    return true;
  });
  if (job->captured) return done;
  const std::lock_guard lock(runner->jobs_mutex_);
  runner->free_jobs_.emplace_back(job);
  runner->end_job();
  return done;
}

bool Runner::enqueue(const Snapshot& snapshot, cudaStream_t stream) {
  auto job = take_job();
  Placed placed = Placed::refused;
  try {
    job->runner = this;
    job->snapshot = snapshot;
    placed = call_once_in_stream<run_job>(stream, job.get());
  } catch (...) {
    const std::lock_guard lock(jobs_mutex_);
    end_job();
    throw;
  }
  if (placed == Placed::placed) {
    static_cast<void>(job.release());
    return true;
  }
  const std::lock_guard lock(jobs_mutex_);
  end_job();
  job->captured = placed == Placed::captured;
  if (job->captured) placed = call_in_stream<run_job>(stream, job.get());
  if (placed == Placed::no_stream) refuse_stream();
  if (placed == Placed::refused) throw Error(Code::invalid_state, "the CUDA runtime takes no work on this stream now");
  if (placed != Placed::placed || !job->captured) return false;
  captured_jobs_.push_back(std::move(job));
  return true;
}

}  // namespace planish::tensorrt
