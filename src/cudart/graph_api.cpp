// Capture of streams, graphs and their launches.

#include <algorithm>

#include "cudart/call.h"
#include "cudart/copy.h"
#include "cudart/graph.h"

using namespace planish::cudart;

namespace {

cudaError_t begin_capture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  if (mode < cudaStreamCaptureModeGlobal || mode > cudaStreamCaptureModeRelaxed) return cudaErrorInvalidValue;
  if (is_default(handle)) return cudaErrorStreamCaptureUnsupported;
  const auto stream = streams().find(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (stream->capture() != nullptr) return cudaErrorIllegalState;
  const auto capture = std::make_shared<Capture>(*stream, mode);
  captures().add(capture);
  stream->set_capture(capture);
  return cudaSuccess;
}

cudaError_t end_capture(cudaStream_t handle, cudaGraph_t* graph) {
  const auto stream = streams().find(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  const auto capture = stream->capture();
  if (capture == nullptr) return cudaErrorIllegalState;
  if (graph == nullptr) return cudaErrorInvalidValue;
  const cudaError_t error = capture->check_end(*stream);
  if (error == cudaErrorStreamCaptureUnmatched || error == cudaErrorStreamCaptureWrongThread) return error;
  capture->end();
  captures().remove(capture.get());
  for (const cudaStream_t member : capture->members())
    if (const auto one = streams().find(member)) one->set_capture(nullptr);
  *graph = error == cudaSuccess ? graphs().add(capture->graph()) : nullptr;
  return error;
}

// body(graph), where `handle` is one.
template <class Body>
cudaError_t with_graph(cudaGraph_t handle, Body&& body) {
  return call([&] {
    const auto graph = graphs().find(handle);
    return graph == nullptr ? cudaErrorInvalidValue : body(*graph);
  });
}

const Node* node_of(cudaGraphNode_t handle) { return reinterpret_cast<const Node*>(handle); }

cudaError_t add_node(cudaGraphNode_t* node, cudaGraph_t handle, const cudaGraphNode_t* after, size_t count,
                     cudaGraphNodeType kind, Work work) {
  return with_graph(handle, [&](Graph& graph) {
    if (node == nullptr || (after == nullptr && count > 0)) return cudaErrorInvalidValue;
    std::vector<const Node*> dependencies;
    for (size_t i = 0; i < count; ++i) dependencies.push_back(node_of(after[i]));
    if (!std::all_of(dependencies.begin(), dependencies.end(), [&](const Node* one) { return graph.contains(one); }))
      return cudaErrorInvalidValue;
    *node = handle_of(graph.add(kind, std::move(work), std::move(dependencies)));
    return cudaSuccess;
  });
}

cudaError_t instantiate(cudaGraphExec_t* exec, cudaGraph_t handle, unsigned long long flags) {
  return with_graph(handle, [&](Graph& graph) {
    if (exec == nullptr || flags > 15) return cudaErrorInvalidValue;
    if ((flags & cudaGraphInstantiateFlagDeviceLaunch) != 0) return cudaErrorNotSupported;
    *exec = execs().add(std::make_shared<Exec>(graph.nodes()));
    return cudaSuccess;
  });
}

// The nodes of a graph are copied by reference: they do not change.
std::shared_ptr<Graph> clone(const Graph& graph) {
  auto copy = std::make_shared<Graph>();
  Nodes made;
  const Nodes nodes = graph.nodes();
  for (const auto& node : nodes) {
    std::vector<const Node*> after;
    for (size_t i = 0; i < made.size(); ++i)
      if (std::find(node->after.begin(), node->after.end(), nodes[i].get()) != node->after.end())
        after.push_back(made[i].get());
    copy->add(node->kind, node->work, std::move(after));
    made = copy->nodes();
  }
  return copy;
}

cudaError_t run_nodes(const Nodes& nodes) {
  cudaError_t first = cudaSuccess;
  for (const auto& node : nodes) {
    const cudaError_t error = node->work();
    if (first == cudaSuccess) first = error;
  }
  return first;
}

}  // namespace

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode) {
  PLANISH_FORWARD(cudaStreamBeginCapture, stream, mode);
  return call([&] { return begin_capture(stream, mode); });
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  PLANISH_FORWARD(cudaStreamEndCapture, stream, graph);
  return call([&] { return end_capture(stream, graph); });
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, enum cudaStreamCaptureStatus* status) {
  PLANISH_FORWARD(cudaStreamIsCapturing, stream, status);
  return cudaStreamGetCaptureInfo_v2(stream, status, nullptr, nullptr, nullptr, nullptr);
}
cudaError_t cudaStreamGetCaptureInfo_v2(cudaStream_t stream, enum cudaStreamCaptureStatus* status,
                                        unsigned long long* id, cudaGraph_t* graph, const cudaGraphNode_t** nodes,
                                        size_t* count) {
  PLANISH_FORWARD(cudaStreamGetCaptureInfo_v2, stream, status, id, graph, nodes, count);
  return call([&] {
    const auto own = streams().find(stream);
    if (own == nullptr) return cudaErrorInvalidResourceHandle;
    if (status == nullptr || graph != nullptr || nodes != nullptr || count != nullptr) return cudaErrorInvalidValue;
    const auto capture = own->capture();
    *status = capture == nullptr ? cudaStreamCaptureStatusNone : capture->status();
    if (id != nullptr) *id = capture == nullptr ? 0 : capture->id();
    return cudaSuccess;
  });
}
cudaError_t cudaThreadExchangeStreamCaptureMode(enum cudaStreamCaptureMode* mode) {
  PLANISH_FORWARD(cudaThreadExchangeStreamCaptureMode, mode);
  return call([&] {
    if (mode == nullptr || *mode < cudaStreamCaptureModeGlobal || *mode > cudaStreamCaptureModeRelaxed)
      return cudaErrorInvalidValue;
    std::swap(*mode, thread_capture_mode());
    return cudaSuccess;
  });
}

cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned int flags) {
  PLANISH_FORWARD(cudaGraphCreate, graph, flags);
  return call([&] {
    if (graph == nullptr || flags != 0) return cudaErrorInvalidValue;
    *graph = graphs().add(std::make_shared<Graph>());
    return cudaSuccess;
  });
}
cudaError_t cudaGraphClone(cudaGraph_t* copy, cudaGraph_t graph) {
  PLANISH_FORWARD(cudaGraphClone, copy, graph);
  return with_graph(graph, [&](Graph& own) { return give(copy, graphs().add(clone(own))); });
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  PLANISH_FORWARD(cudaGraphDestroy, graph);
  return call([&] { return graphs().take(graph) != nullptr ? cudaSuccess : cudaErrorInvalidValue; });
}
cudaError_t cudaGraphAddEmptyNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                  size_t count) {
  PLANISH_FORWARD(cudaGraphAddEmptyNode, node, graph, after, count);
  return add_node(node, graph, after, count, cudaGraphNodeTypeEmpty, [] { return cudaSuccess; });
}
cudaError_t cudaGraphAddHostNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after, size_t count,
                                 const struct cudaHostNodeParams* host) {
  PLANISH_FORWARD(cudaGraphAddHostNode, node, graph, after, count, host);
  if (host == nullptr || host->fn == nullptr) return refuse(cudaErrorInvalidValue);
  return add_node(node, graph, after, count, cudaGraphNodeTypeHost, [own = *host] {
    const Enter enter({nullptr, false, true});
    own.fn(own.userData);
    return cudaSuccess;
  });
}
cudaError_t cudaGraphAddMemcpyNode1D(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                     size_t count, void* to, const void* from, size_t bytes, enum cudaMemcpyKind kind) {
  PLANISH_FORWARD(cudaGraphAddMemcpyNode1D, node, graph, after, count, to, from, bytes, kind);
  const Copy copy{{to}, {const_cast<void*>(from)}, {bytes}, kind};
  Copy::Pageable pageable;
  if (const cudaError_t error = copy.check(&pageable)) return refuse(error);
  return add_node(node, graph, after, count, cudaGraphNodeTypeMemcpy, [copy] { return copy.run(); });
}
cudaError_t cudaGraphAddMemsetNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after, size_t count,
                                   const struct cudaMemsetParams* set) {
  PLANISH_FORWARD(cudaGraphAddMemsetNode, node, graph, after, count, set);
  if (set == nullptr) return refuse(cudaErrorInvalidValue);
  const Fill fill{{set->dst, set->pitch}, {set->width, set->height}, set->value, set->elementSize};
  if (const cudaError_t error = fill.check()) return refuse(error);
  return add_node(node, graph, after, count, cudaGraphNodeTypeMemset, [fill] { return fill.run(); });
}
cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  PLANISH_FORWARD(cudaGraphGetNodes, graph, nodes, count);
  return with_graph(graph, [&](Graph& own) {
    if (count == nullptr) return cudaErrorInvalidValue;
    const Nodes all = own.nodes();
    for (size_t i = 0; nodes != nullptr && i < *count; ++i)
      nodes[i] = i < all.size() ? handle_of(all[i].get()) : nullptr;
    *count = nodes == nullptr ? all.size() : std::min(*count, all.size());
    return cudaSuccess;
  });
}
cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, enum cudaGraphNodeType* type) {
  PLANISH_FORWARD(cudaGraphNodeGetType, node, type);
  return call([&] {
    const auto owner = graphs().find_if([&](const Graph& graph) { return graph.contains(node_of(node)); });
    return owner == nullptr ? cudaErrorInvalidValue : give(type, node_of(node)->kind);
  });
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags) {
  PLANISH_FORWARD(cudaGraphInstantiateWithFlags, exec, graph, flags);
  return instantiate(exec, graph, flags);
}
cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags) {
  PLANISH_FORWARD(cudaGraphInstantiateWithFlags, exec, graph, flags);
  return instantiate(exec, graph, flags);
}
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphExecUpdateResultInfo* result) {
  PLANISH_FORWARD(cudaGraphExecUpdate, exec, graph, result);
  return with_graph(graph, [&](Graph& own) {
    const auto known = execs().find(exec);
    if (known == nullptr || result == nullptr) return cudaErrorInvalidValue;
    *result = known->update(own.nodes());
    return result->result == cudaGraphExecUpdateSuccess ? cudaSuccess : cudaErrorGraphExecUpdateFailure;
  });
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  PLANISH_FORWARD(cudaGraphExecDestroy, exec);
  return call([&] { return execs().take(exec) != nullptr ? cudaSuccess : cudaErrorInvalidValue; });
}
cudaError_t cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t stream) {
  PLANISH_FORWARD(cudaGraphUpload, exec, stream);
  return call([&] {
    if (execs().find(exec) == nullptr) return cudaErrorInvalidValue;
    return streams().find(stream) == nullptr ? cudaErrorInvalidResourceHandle : cudaSuccess;
  });
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  PLANISH_FORWARD(cudaGraphLaunch, exec, stream);
  return call([&] {
    const auto known = execs().find(exec);
    if (known == nullptr) return cudaErrorInvalidValue;
    return enqueue(stream, cudaGraphNodeTypeGraph, [nodes = known->nodes()] { return run_nodes(*nodes); });
  });
}

}  // extern "C"
