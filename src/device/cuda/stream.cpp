#include "device/cuda/stream.h"

#include <utility>

namespace planish::cuda {
namespace {

template <class Body>
Status status_of(Body body) {
  try {
    body();
    return {};
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
}

}  // namespace

// --- stream

CudaStream::CudaStream(std::shared_ptr<const Context> context) : context_(std::move(context)) {
  const Context::Current current(*context_);
  PLANISH_CUDA(*context_, stream_create, &handle_, kStreamNonBlocking);
}

CudaStream::CudaStream(std::shared_ptr<const Context> context, void* borrowed)
    : context_(std::move(context)), handle_(static_cast<StreamHandle*>(borrowed)), owned_(false) {
  const Context::Current current(*context_);
  ContextHandle* its = nullptr;
  if (context_->driver().stream_context(handle_, &its) != kSuccess)
    fail(Code::invalid_argument, "{:#x} is no stream of the CUDA driver", reinterpret_cast<uintptr_t>(borrowed));
  if (its != context_->handle())
    fail(Code::invalid_argument,
         "the stream is of another GPU or context; streams of the primary context of GPU {} are accepted",
         context_->device());
}

CudaStream::~CudaStream() {
  if (!owned_) return;
  try {
    const Context::Current current(*context_);
    context_->driver().stream_synchronize(handle_);
    context_->driver().stream_destroy(handle_);
  } catch (const Error&) {  // a lost device has no stream to end
  }
}

Status CudaStream::submit(std::function<Status()> work) {
  Status status = work();
  if (status.ok()) return status;
  const std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = status;
  return status;
}

void CudaStream::finish() const {
  const Context::Current current(*context_);
  context_->driver().check(context_->driver().stream_synchronize(handle_), "cuStreamSynchronize");
}

Status CudaStream::synchronize() {
  const Status waited = status_of([&] { finish(); });
  const std::lock_guard lock(mutex_);
  const Status earlier = std::exchange(failure_, Status());
  return earlier.ok() ? waited : earlier;
}

bool CudaStream::is_capturing() const {
  const Context::Current current(*context_);
  int state = 0;
  PLANISH_CUDA(*context_, stream_capturing, handle_, &state);
  return state != 0;
}

void CudaStream::wait(const Event& event) {
  const auto* found = dynamic_cast<const CudaEvent*>(&event);
  if (found == nullptr) fail(Code::invalid_argument, "the event is of another device");
  if (!found->is_recorded()) return;
  const Context::Current current(*context_);
  PLANISH_CUDA(*context_, stream_wait, handle_, found->handle(), 0);
}

CudaStream& cuda_stream(Stream& stream) {
  auto* const found = dynamic_cast<CudaStream*>(&stream);
  if (found == nullptr) fail(Code::invalid_argument, "the stream is of another device");
  return *found;
}

// --- event

CudaEvent::CudaEvent(std::shared_ptr<const Context> context, bool timed) : context_(std::move(context)) {
  const Context::Current current(*context_);
  PLANISH_CUDA(*context_, event_create, &handle_, timed ? 0 : kEventDisableTiming);
}

CudaEvent::~CudaEvent() {
  try {
    const Context::Current current(*context_);
    context_->driver().event_destroy(handle_);
  } catch (const Error&) {  // of a lost device
  }
}

Status CudaEvent::record(Stream& stream) {
  return status_of([&] {
    const Context::Current current(*context_);
    PLANISH_CUDA(*context_, event_record, handle_, cuda_stream(stream).handle());
    recorded_ = true;
  });
}

Status CudaEvent::synchronize() {
  if (!recorded_) return {Code::invalid_state, "the event was never recorded"};
  return status_of([&] {
    const Context::Current current(*context_);
    PLANISH_CUDA(*context_, event_synchronize, handle_);
  });
}

bool CudaEvent::reached() const {
  return recorded_ && status_of([&] {
                        const Context::Current current(*context_);
                        PLANISH_CUDA(*context_, event_query, handle_);
                      }).ok();
}

double CudaEvent::milliseconds_since(const Event& earlier) const {
  const auto* other = dynamic_cast<const CudaEvent*>(&earlier);
  float milliseconds = 0;
  if (other == nullptr || context_->driver().event_elapsed(&milliseconds, other->handle_, handle_) != kSuccess)
    return 0;
  return static_cast<double>(milliseconds);
}

// --- recorded work

CudaGraph::CudaGraph(std::shared_ptr<const Context> context, std::shared_ptr<Recorder> recorder, const StreamWork& work)
    : context_(std::move(context)), recorder_(std::move(recorder)) {
  const Context::Current current(*context_);
  instantiate(capture(work));
}

GraphHandle* CudaGraph::capture(const StreamWork& work) {
  const Driver& driver = context_->driver();
  const std::lock_guard lock(recorder_->mutex);
  CudaStream& stream = recorder_->stream;
  PLANISH_CUDA(*context_, begin_capture, stream.handle(), kCaptureThreadLocal);
  GraphHandle* graph = nullptr;
  try {
    work(stream);
  } catch (...) {
    driver.end_capture(stream.handle(), &graph);
    if (graph != nullptr) driver.graph_destroy(graph);
    throw;
  }
  PLANISH_CUDA(*context_, end_capture, stream.handle(), &graph);
  return graph;
}

// Takes the graph.
void CudaGraph::instantiate(GraphHandle* graph) {
  const Driver& driver = context_->driver();
  GraphExecHandle* made = nullptr;
  const Result result = driver.graph_instantiate(&made, graph, 0);
  driver.graph_destroy(graph);
  driver.check(result, "cuGraphInstantiateWithFlags");
  if (exec_ != nullptr) driver.graph_exec_destroy(exec_);  // what is under way ends first
  exec_ = made;
}

void CudaGraph::replace(const StreamWork& work) {
  const Context::Current current(*context_);
  const Driver& driver = context_->driver();
  GraphHandle* const graph = capture(work);
  GraphUpdateInfo info{};
  if (driver.graph_exec_update(exec_, graph, &info) != kSuccess) return instantiate(graph);  // of another form
  driver.graph_destroy(graph);
}

CudaGraph::~CudaGraph() {
  if (exec_ != nullptr) context_->driver().graph_exec_destroy(exec_);
}

void CudaGraph::submit(Stream& stream) {
  const Context::Current current(*context_);
  PLANISH_CUDA(*context_, graph_launch, exec_, cuda_stream(stream).handle());
}

}  // namespace planish::cuda
