// Bindings by index, and executions that are given a list of them.

#include <algorithm>

#include "tensorrt/runtime/context.h"
#include "tensorrt/runtime/cuda.h"

namespace planish::tensorrt {

int ContextImpl::own_binding(int32_t index) const {
  int profile = 0;
  const int tensor = plan_->io_of_binding(index, &profile);
  if (profile != profile_)
    refuse("binding " + std::to_string(index) + " belongs to profile " + std::to_string(profile) + ", profile " +
           std::to_string(profile_) + " is chosen");
  return tensor;
}

bool ContextImpl::setBindingDimensions(int32_t index, nvinfer1::Dims dims) {
  return reporter_.guard("setBindingDimensions", false, [&] {
    const Turn turn(taken_);
    set_shape(own_binding(index), extents_of(dims));
    return true;
  });
}

nvinfer1::Dims ContextImpl::getBindingDimensions(int32_t index) const {
  return reporter_.guard("getBindingDimensions", no_dims(),
                         [&] { return dims_of(plan_->shown(shape(plan_->io_of_binding(index)))); });
}

nvinfer1::Dims ContextImpl::getStrides(int32_t index) const {
  return reporter_.guard("getStrides", no_dims(), [&] { return strides(plan_->io_of_binding(index)); });
}

// Shapes say the batch. Callers that give 1, or what the shapes of all inputs say, mean it.
void ContextImpl::check_explicit_batch(int32_t batch) const {
  bool agrees = true;
  for (size_t i = 0; i < now_.shapes.size(); ++i)
    if (io(static_cast<int>(i)).is_input) agrees = agrees && !now_.shapes[i].empty() && now_.shapes[i].front() == batch;
  if (batch != 1 && !agrees)
    throw Error(Code::invalid_state, "a batch of " + std::to_string(batch) +
                                         " is given, but the network has an explicit batch axis, which the shapes of "
                                         "its inputs say; enqueueV2 and executeV2 run it");
  reporter_.say_once(
      Severity::kWARNING,
      "the network has an explicit batch axis: the batch given to execute and enqueue says nothing; executeV2 and "
      "enqueueV2 run it");
}

void ContextImpl::set_batch(int32_t batch) {
  if (!plan_->implicit_batch()) return check_explicit_batch(batch);
  if (batch < 1 || batch > plan_->max_batch())
    refuse("a batch of " + std::to_string(batch) + "; 1 to " + std::to_string(plan_->max_batch()) + " are accepted");
  for (size_t i = 0; i < now_.shapes.size(); ++i) {
    if (!io(static_cast<int>(i)).is_input || io(static_cast<int>(i)).extents.at(0) >= 0) continue;
    if (now_.shapes[i][0] == batch) continue;
    Extents extents = now_.shapes[i];
    extents[0] = batch;
    now_.shapes.set(i, std::move(extents));
  }
}

void ContextImpl::take_bindings(void* const* bindings) {
  if (bindings == nullptr) refuse("the list of bindings is null");
  void* const* mine = bindings + static_cast<size_t>(profile_) * now_.addresses.size();
  std::copy_n(mine, now_.addresses.size(), now_.addresses.begin());
}

bool ContextImpl::execute(int32_t batch, void* const* bindings) {
  return reporter_.guard("execute", false, [&] {
    const Turn turn(taken_);
    set_batch(batch);
    take_bindings(bindings);
    start(nullptr, true);
    return true;
  });
}

bool ContextImpl::enqueue(int32_t batch, void* const* bindings, cudaStream_t stream, cudaEvent_t* consumed) {
  return reporter_.guard("enqueue", false, [&] {
    const Turn turn(taken_);
    set_batch(batch);
    take_bindings(bindings);
    start(stream, false);
    if (consumed != nullptr) record_event(*consumed, stream);
    return true;
  });
}

bool ContextImpl::executeV2(void* const* bindings) {
  return reporter_.guard("executeV2", false, [&] {
    if (plan_->implicit_batch())
      throw Error(Code::invalid_state, "the network has an implicit batch axis; enqueue and execute run it");
    const Turn turn(taken_);
    take_bindings(bindings);
    start(nullptr, true);
    return true;
  });
}

bool ContextImpl::enqueueV2(void* const* bindings, cudaStream_t stream, cudaEvent_t* consumed) {
  return reporter_.guard("enqueueV2", false, [&] {
    if (plan_->implicit_batch())
      throw Error(Code::invalid_state, "the network has an implicit batch axis; enqueue and execute run it");
    const Turn turn(taken_);
    take_bindings(bindings);
    start(stream, false);
    if (consumed != nullptr) record_event(*consumed, stream);
    return true;
  });
}

}  // namespace planish::tensorrt
