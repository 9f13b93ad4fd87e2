#pragma once
// Graphs: operations of streams, recorded instead of run. A graph runs its nodes one after the other in the order in
// which they were added, which respects every dependency; the stream that launches it orders it as a whole.

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "cudart/handles.h"
#include "cudart/stream.h"

namespace planish::cudart {

struct Node {
  cudaGraphNodeType kind;
  Work work;
  std::vector<const Node*> after;  // dependencies
};
using Nodes = std::vector<std::shared_ptr<const Node>>;

inline cudaGraphNode_t handle_of(const Node* node) {
  return reinterpret_cast<cudaGraphNode_t>(const_cast<Node*>(node));
}

// Nodes in an order in which each comes after what it depends on.
class Graph {
 public:
  const Node* add(cudaGraphNodeType kind, Work work, std::vector<const Node*> after);
  Nodes nodes() const;
  bool contains(const Node* node) const;

 private:
  mutable std::mutex mutex_;
  Nodes nodes_;
};

// A graph ready to run; updating it leaves launches under way alone.
class Exec {
 public:
  explicit Exec(Nodes nodes) : nodes_(std::make_shared<const Nodes>(std::move(nodes))) {}
  std::shared_ptr<const Nodes> nodes() const;
  // Takes over the nodes of a graph of the same form.
  cudaGraphExecUpdateResultInfo update(Nodes nodes);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Nodes> nodes_;
};

// Recording what is enqueued on one stream, and on those that wait for its events.
class Capture {
 public:
  Capture(const Stream& origin, cudaStreamCaptureMode mode);

  cudaError_t add(const Stream& stream, cudaGraphNodeType kind, Work work);
  // What work on `stream` now comes after.
  std::vector<const Node*> tail(const Stream& stream) const;
  // Work on `stream` comes after `nodes` from now on.
  void join(const Stream& stream, const std::vector<const Node*>& nodes);

  // Why the origin cannot end it now; cudaSuccess: it can.
  cudaError_t check_end(const Stream& stream) const;
  // Streams that took part, the origin too.
  std::vector<cudaStream_t> members() const;
  void end() { status_ = cudaStreamCaptureStatusNone; }
  void invalidate() { status_ = cudaStreamCaptureStatusInvalidated; }

  cudaStreamCaptureStatus status() const { return status_; }
  unsigned long long id() const { return id_; }
  const std::shared_ptr<Graph>& graph() const { return graph_; }
  bool origin_blocks() const { return origin_blocks_; }
  // Whether calls that a capture cannot record are refused in the calling thread, whose mode is `mode`.
  bool refuses(cudaStreamCaptureMode mode) const;

 private:
  struct Member {
    cudaStream_t stream;
    std::vector<const Node*> tail;
  };
  Member& member(const Stream& stream);
  bool all_joined(const std::vector<const Node*>& tail) const;

  const cudaStream_t origin_;
  const bool origin_blocks_;
  const cudaStreamCaptureMode mode_;
  const std::thread::id thread_ = std::this_thread::get_id();
  const unsigned long long id_;
  const std::shared_ptr<Graph> graph_ = std::make_shared<Graph>();
  std::atomic<cudaStreamCaptureStatus> status_{cudaStreamCaptureStatusActive};
  mutable std::mutex mutex_;
  std::vector<Member> members_;  // the origin first
};

// Captures under way.
class Captures {
 public:
  void add(const std::shared_ptr<Capture>& capture);
  void remove(const Capture* capture);
  // Invalidates those that `refuses` and says whether there were any.
  template <class Refuses>
  bool break_if(Refuses&& refuses) {
    if (count_.load(std::memory_order_acquire) == 0) return false;
    const std::lock_guard lock(mutex_);
    bool any = false;
    for (const auto& capture : captures_)
      if (refuses(*capture)) capture->invalidate(), any = true;
    return any;
  }

 private:
  std::mutex mutex_;
  std::atomic<int> count_{0};
  std::vector<std::shared_ptr<Capture>> captures_;
};
Captures& captures();

Handles<Graph, cudaGraph_t>& graphs();
Handles<Exec, cudaGraphExec_t>& execs();

// For calls that a capture cannot record: cudaErrorStreamCaptureUnsupported where one forbids them in this thread.
cudaError_t refuse_during_capture();
// For work on the default stream: cudaErrorStreamCaptureImplicit where a blocking stream is captured.
cudaError_t refuse_implicit_capture();
// The capture mode of the calling thread.
cudaStreamCaptureMode& thread_capture_mode();

}  // namespace planish::cudart
