#include "cudart/graph.h"

#include <algorithm>

namespace planish::cudart {
namespace {

unsigned long long next_capture_id() {
  static std::atomic<unsigned long long> next{1};
  return next++;
}

// Positions in `nodes` of what a node depends on.
std::vector<size_t> positions(const Nodes& nodes, const Node& node) {
  std::vector<size_t> result;
  for (size_t i = 0; i < nodes.size(); ++i)
    if (std::find(node.after.begin(), node.after.end(), nodes[i].get()) != node.after.end()) result.push_back(i);
  return result;
}

template <class T>
void add_new(std::vector<T>& all, const std::vector<T>& more) {
  for (const T& one : more)
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
}

}  // namespace

const Node* Graph::add(cudaGraphNodeType kind, Work work, std::vector<const Node*> after) {
  auto node = std::make_shared<const Node>(Node{kind, std::move(work), std::move(after)});
  const std::lock_guard lock(mutex_);
  nodes_.push_back(std::move(node));
  return nodes_.back().get();
}

Nodes Graph::nodes() const {
  const std::lock_guard lock(mutex_);
  return nodes_;
}

bool Graph::contains(const Node* node) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& own) { return own.get() == node; });
}

std::shared_ptr<const Nodes> Exec::nodes() const {
  const std::lock_guard lock(mutex_);
  return nodes_;
}

cudaGraphExecUpdateResultInfo Exec::update(Nodes nodes) {
  const std::lock_guard lock(mutex_);
  if (nodes.size() != nodes_->size()) return {cudaGraphExecUpdateErrorTopologyChanged, nullptr, nullptr};
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Node &old = *(*nodes_)[i], &now = *nodes[i];
    if (old.kind != now.kind) return {cudaGraphExecUpdateErrorNodeTypeChanged, handle_of(&now), nullptr};
    if (positions(*nodes_, old) != positions(nodes, now))
      return {cudaGraphExecUpdateErrorTopologyChanged, handle_of(&now), nullptr};
  }
  nodes_ = std::make_shared<const Nodes>(std::move(nodes));
  return {cudaGraphExecUpdateSuccess, nullptr, nullptr};
}

Capture::Capture(const Stream& origin, cudaStreamCaptureMode mode)
    : origin_(handle_of(origin)),
      origin_blocks_(origin.blocking()),
      mode_(mode),
      id_(next_capture_id()),
      members_{{origin_, {}}} {}

Capture::Member& Capture::member(const Stream& stream) {
  for (Member& one : members_)
    if (one.stream == handle_of(stream)) return one;
  members_.push_back({handle_of(stream), {}});
  return members_.back();
}

cudaError_t Capture::add(const Stream& stream, cudaGraphNodeType kind, Work work) {
  if (status_ != cudaStreamCaptureStatusActive) return cudaErrorStreamCaptureInvalidated;
  const std::lock_guard lock(mutex_);
  Member& own = member(stream);
  own.tail = {graph_->add(kind, std::move(work), own.tail)};
  return cudaSuccess;
}

std::vector<const Node*> Capture::tail(const Stream& stream) const {
  const std::lock_guard lock(mutex_);
  for (const Member& one : members_)
    if (one.stream == handle_of(stream)) return one.tail;
  return {};
}

void Capture::join(const Stream& stream, const std::vector<const Node*>& nodes) {
  const std::lock_guard lock(mutex_);
  add_new(member(stream).tail, nodes);
}

std::vector<cudaStream_t> Capture::members() const {
  const std::lock_guard lock(mutex_);
  std::vector<cudaStream_t> result;
  for (const Member& one : members_) result.push_back(one.stream);
  return result;
}

// Every node is in `tail`, or something comes after it.
bool Capture::all_joined(const std::vector<const Node*>& tail) const {
  const Nodes nodes = graph_->nodes();
  std::vector<const Node*> covered = tail;
  for (const auto& node : nodes) add_new(covered, node->after);
  return std::all_of(nodes.begin(), nodes.end(), [&](const auto& node) {
    return std::find(covered.begin(), covered.end(), node.get()) != covered.end();
  });
}

cudaError_t Capture::check_end(const Stream& stream) const {
  if (handle_of(stream) != origin_) return cudaErrorStreamCaptureUnmatched;
  if (mode_ != cudaStreamCaptureModeRelaxed && thread_ != std::this_thread::get_id())
    return cudaErrorStreamCaptureWrongThread;
  if (status_ == cudaStreamCaptureStatusInvalidated) return cudaErrorStreamCaptureInvalidated;
  return all_joined(tail(stream)) ? cudaSuccess : cudaErrorStreamCaptureUnjoined;
}

bool Capture::refuses(cudaStreamCaptureMode mode) const {
  if (mode == cudaStreamCaptureModeRelaxed || mode_ == cudaStreamCaptureModeRelaxed) return false;
  return thread_ == std::this_thread::get_id() ||
         (mode == cudaStreamCaptureModeGlobal && mode_ == cudaStreamCaptureModeGlobal);
}

void Captures::add(const std::shared_ptr<Capture>& capture) {
  const std::lock_guard lock(mutex_);
  captures_.push_back(capture);
  ++count_;
}

void Captures::remove(const Capture* capture) {
  const std::lock_guard lock(mutex_);
  count_ -= static_cast<int>(std::erase_if(captures_, [&](const auto& one) { return one.get() == capture; }));
}

Captures& captures() {
  static Captures& all = *new Captures;
  return all;
}
Handles<Graph, cudaGraph_t>& graphs() {
  static auto& all = *new Handles<Graph, cudaGraph_t>;
  return all;
}
Handles<Exec, cudaGraphExec_t>& execs() {
  static auto& all = *new Handles<Exec, cudaGraphExec_t>;
  return all;
}

cudaStreamCaptureMode& thread_capture_mode() {
  thread_local cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  return mode;
}

cudaError_t refuse_during_capture() {
  const auto refuses = [](const Capture& capture) { return capture.refuses(thread_capture_mode()); };
  return captures().break_if(refuses) ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}

cudaError_t refuse_implicit_capture() {
  const auto refuses = [](const Capture& capture) { return capture.origin_blocks(); };
  return captures().break_if(refuses) ? cudaErrorStreamCaptureImplicit : cudaSuccess;
}

}  // namespace planish::cudart
