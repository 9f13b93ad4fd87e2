#pragma once
// Streams, events and recorded work of one GPU.

#include "device/accelerator.h"
#include "device/cuda/context.h"
#include "device/device.h"

namespace planish::cuda {

class CudaStream final : public Stream {
 public:
  explicit CudaStream(std::shared_ptr<const Context> context);         // a stream of its own
  CudaStream(std::shared_ptr<const Context> context, void* borrowed);  // the caller's
  ~CudaStream() override;

  Status submit(std::function<Status()> work) override;
  Status synchronize() override;
  StreamHandle* handle() const { return handle_; }
  bool is_capturing() const;

 private:
  std::shared_ptr<const Context> context_;
  StreamHandle* handle_ = nullptr;
  bool owned_ = true;
  Status failure_;
};

// Error(invalid_argument) for a stream of another device.
CudaStream& cuda_stream(Stream& stream);

class CudaEvent final : public Event {
 public:
  explicit CudaEvent(std::shared_ptr<const Context> context);
  ~CudaEvent() override;
  Status record(Stream& stream) override;
  Status synchronize() override;
  bool reached() const override;
  double milliseconds_since(const Event& earlier) const override;

 private:
  std::shared_ptr<const Context> context_;
  EventHandle* handle_ = nullptr;
  bool recorded_ = false;
};

class CudaGraph final : public RecordedWork {
 public:
  CudaGraph(std::shared_ptr<const Context> context, CudaStream& stream, const std::function<void()>& work);
  ~CudaGraph() override;
  void submit(Stream& stream) override;

 private:
  std::shared_ptr<const Context> context_;
  GraphExecHandle* exec_ = nullptr;
};

}  // namespace planish::cuda
