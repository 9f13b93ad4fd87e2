#include "cudart/stream.h"

#include <thread>

#include "cudart/graph.h"

namespace planish::cudart {
namespace {

unsigned long long next_stream_id() {
  static std::atomic<unsigned long long> next{1};
  return next++;
}

// The stream that stands for cudaStreamPerThread in this thread; its work outlives the thread.
struct PerThread {
  std::shared_ptr<Stream> stream;
  ~PerThread() {
    if (stream != nullptr) streams().destroy(handle_of(*stream));
  }
};

Stream* find_per_thread(Streams& all) {
  thread_local PerThread own;
  if (own.stream == nullptr || all.find(handle_of(*own.stream)) == nullptr)
    own.stream = all.create(cudaStreamDefault, 0);
  return own.stream.get();
}

void wait_for(const std::vector<Mark>& marks) {
  for (const Mark& mark : marks) mark.wait();
}

}  // namespace

void Progress::wait(uint32_t number) const {
  if (reached(number)) return;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return reached(number); });
}

void Progress::advance(cudaError_t result) {
  cudaError_t none = cudaSuccess;
  if (result != cudaSuccess) failure.compare_exchange_strong(none, result);
  {
    const std::lock_guard lock(mutex_);
    done.fetch_add(1, std::memory_order_release);
  }
  changed_.notify_all();
}

Stream::Stream(unsigned flags, int priority)
    : flags_(flags), priority_(priority), id_(next_stream_id()), queue_(device().create_stream()) {}

uint32_t Stream::put(Entry given) {
  if (streams().default_stream() == this)
    given.before = streams().unfinished(true);
  else if (blocking())
    given.before = streams().unfinished_default();
  const std::lock_guard lock(order_);
  std::unique_ptr<Entry> entry = spare_ == nullptr ? std::make_unique<Entry>() : std::move(spare_);
  *entry = std::move(given);
  queue_->submit([this, owned = entry.get()] { return run_entry(owned); }).raise();  // two pointers: no allocation
  static_cast<void>(entry.release());
  const uint32_t number = pushed_.load(std::memory_order_relaxed) + 1;
  pushed_.store(number, std::memory_order_release);
  return number;
}

// What the work owns is gone when it counts as done. The queue ends before the stream does.
Status Stream::run_entry(Entry* owned) {
  std::unique_ptr<Entry> entry(owned);
  wait_for(entry->before);
  cudaError_t result = cudaSuccess;
  if (entry->run != nullptr) {
    const Enter enter({this, true, false});
    result = entry->run(entry->user);
  } else {
    result = entry->work();
  }
  *entry = {};
  {
    const std::lock_guard lock(order_);
    spare_ = std::move(entry);
  }
  progress_->advance(result);
  return {};
}

Status Stream::submit(std::function<Status()> work) {
  const auto run = [work = std::move(work)] { return work().ok() ? cudaSuccess : cudaErrorUnknown; };
  if (is_inside(handle_of(*this)))
    run();
  else
    push(run);
  return {};
}

Status Stream::synchronize() {
  last().wait();
  return {};
}

std::shared_ptr<Capture> Stream::capture() const {
  if (!is_captured()) return nullptr;
  const std::lock_guard lock(capture_mutex_);
  return capture_;
}

void Stream::set_capture(std::shared_ptr<Capture> capture) {
  const std::lock_guard lock(capture_mutex_);
  capture_ = std::move(capture);
  capturing_.store(capture_ != nullptr, std::memory_order_release);
}

Inside& inside() {
  thread_local Inside now;
  return now;
}

bool is_inside(cudaStream_t handle) {
  const Inside& now = inside();
  return now.running && (is_default(handle) || (now.stream != nullptr && handle == handle_of(*now.stream)));
}

std::shared_ptr<Stream> Streams::create(unsigned flags, int priority) {
  auto stream = std::make_shared<Stream>(flags, priority);
  const std::lock_guard lock(mutex_);
  streams_[stream.get()] = stream;
  return stream;
}

std::shared_ptr<Stream> Streams::find(cudaStream_t handle) {
  const void* key = handle == cudaStreamPerThread ? find_per_thread(*this) : static_cast<const void*>(handle);
  const std::lock_guard lock(mutex_);
  if (is_default(handle)) {
    if (default_owner_ == nullptr) {
      default_owner_ = std::make_shared<Stream>(cudaStreamDefault, 0);
      default_.store(default_owner_.get(), std::memory_order_release);
    }
    return default_owner_;
  }
  const auto found = streams_.find(key);
  return found == streams_.end() ? nullptr : found->second;
}

// A queue that still has work is left to a thread that waits for it.
void Streams::retire(std::shared_ptr<Stream> stream) {
  const Mark last = stream->last();
  if (last.reached()) return;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(retired_, [](const Mark& mark) { return mark.reached(); });
    retired_.push_back(last);
  }
  std::thread([stream = std::move(stream)]() mutable { stream.reset(); }).detach();
}

bool Streams::destroy(cudaStream_t handle) {
  std::shared_ptr<Stream> stream;
  {
    const std::lock_guard lock(mutex_);
    const auto found = streams_.find(handle);
    if (found == streams_.end()) return false;
    stream = std::move(found->second);
    streams_.erase(found);
  }
  retire(std::move(stream));
  return true;
}

void Streams::destroy_all() {
  const std::lock_guard lock(mutex_);
  streams_.clear();
}

std::vector<Mark> Streams::unfinished(bool blocking_only) {
  const std::lock_guard lock(mutex_);
  std::vector<Mark> marks;
  const auto add = [&](Mark mark) {
    if (!mark.reached()) marks.push_back(std::move(mark));
  };
  for (const auto& [key, stream] : streams_)
    if (stream->blocking() || !blocking_only) add(stream->last());
  for (const Mark& mark : retired_) add(mark);
  if (!blocking_only && default_owner_ != nullptr) add(default_owner_->last());
  return marks;
}

std::vector<Mark> Streams::unfinished_default() {
  Stream* stream = default_stream();
  if (stream == nullptr) return {};
  Mark last = stream->last();
  if (last.reached()) return {};
  return {std::move(last)};
}

cudaError_t Streams::take_failures() {
  const std::lock_guard lock(mutex_);
  cudaError_t first = default_owner_ == nullptr ? cudaSuccess : default_owner_->take_failure();
  for (const auto& [key, stream] : streams_) {
    const cudaError_t failure = stream->take_failure();
    if (first == cudaSuccess) first = failure;
  }
  return first;
}

void Streams::keep(const std::shared_ptr<void>& owner) {
  std::vector<std::shared_ptr<Stream>> busy;
  {
    const std::lock_guard lock(mutex_);
    if (default_owner_ != nullptr) busy.push_back(default_owner_);
    for (const auto& [key, stream] : streams_) busy.push_back(stream);
  }
  for (const auto& stream : busy)
    if (!stream->last().reached()) stream->push([owner] { return cudaSuccess; });
}

Streams& streams() {
  static Streams& all = *new Streams;  // never destroyed: streams may still run when the process ends
  return all;
}

Device& device() {
  static const auto& processor = *new std::shared_ptr<Device>(create_cpu_device(1));
  return *processor;
}

cudaError_t enqueue(cudaStream_t handle, cudaGraphNodeType kind, Work work, bool wait) {
  if (inside().callback) return cudaErrorNotPermitted;
  if (is_inside(handle)) return work();
  const auto stream = streams().find(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (const auto capture = stream->capture()) return capture->add(*stream, kind, std::move(work));
  if (const cudaError_t error = is_default(handle) ? refuse_implicit_capture() : cudaSuccess) return error;
  const Mark mark = stream->push(std::move(work));
  if (wait) mark.wait();
  return cudaSuccess;
}

cudaError_t run_synchronously(const Work& work) {
  if (inside().callback) return cudaErrorNotPermitted;
  if (inside().running) return work();
  if (const cudaError_t error = refuse_during_capture()) return error;
  wait_for(streams().unfinished_default());
  wait_for(streams().unfinished(true));
  return work();
}

cudaError_t synchronize_device() {
  if (inside().callback) return cudaErrorNotPermitted;
  if (inside().running) return cudaSuccess;
  if (const cudaError_t error = refuse_during_capture()) return error;
  wait_for(streams().unfinished());
  return streams().take_failures();
}

}  // namespace planish::cudart
