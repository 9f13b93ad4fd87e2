#pragma once
// Streams, events and recorded work of one GPU.

#include <memory>
#include <mutex>

#include "device/accelerator.h"
#include "device/cuda/context.h"
#include "device/device.h"

namespace planish::cuda {

class CudaStream final : public Stream {
 public:
  explicit CudaStream(std::shared_ptr<const Context> context);  // a stream of its own
  // The caller's. Error(invalid_argument): it is of another context.
  CudaStream(std::shared_ptr<const Context> context, void* borrowed);
  ~CudaStream() override;

  Status submit(std::function<Status()> work) override;
  Status synchronize() override;
  bool is_accelerators() const override { return true; }
  StreamHandle* handle() const { return handle_; }
  DeviceIndex device() const { return context_->device(); }
  bool is_capturing() const;
  void finish() const;  // the host waits; takes no failure
  void wait(const Event& event);

 private:
  std::shared_ptr<const Context> context_;
  StreamHandle* handle_ = nullptr;
  bool owned_ = true;
  std::mutex mutex_;
  Status failure_;
};

// Error(invalid_argument) for a stream of another device.
CudaStream& cuda_stream(Stream& stream);

class CudaEvent final : public Event {
 public:
  CudaEvent(std::shared_ptr<const Context> context, bool timed);
  ~CudaEvent() override;
  Status record(Stream& stream) override;
  Status synchronize() override;
  bool reached() const override;
  double milliseconds_since(const Event& earlier) const override;
  EventHandle* handle() const { return handle_; }
  bool is_recorded() const { return recorded_; }

 private:
  std::shared_ptr<const Context> context_;
  EventHandle* handle_ = nullptr;
  bool recorded_ = false;
};

// The stream that work is recorded on, one recording at a time; callers' streams need not be able to.
struct Recorder {
  explicit Recorder(std::shared_ptr<const Context> context) : stream(std::move(context)) {}
  std::mutex mutex;
  CudaStream stream;
};

class CudaGraph final : public RecordedWork {
 public:
  CudaGraph(std::shared_ptr<const Context> context, std::shared_ptr<Recorder> recorder, const StreamWork& work);
  ~CudaGraph() override;
  void submit(Stream& stream) override;
  void replace(const StreamWork& work) override;

 private:
  GraphHandle* capture(const StreamWork& work);
  void instantiate(GraphHandle* graph);

  std::shared_ptr<const Context> context_;
  std::shared_ptr<Recorder> recorder_;
  GraphExecHandle* exec_ = nullptr;
};

}  // namespace planish::cuda
