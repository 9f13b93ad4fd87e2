#pragma once
// How a profile's steps reach its bindings.
//
// A plan for a GPU copies inputs there and outputs from there. Where one copy step is all that stands between a binding
// and a buffer of the GPU, and the caller's memory lies there already, the buffer can be that memory.

#include <cstdint>
#include <vector>

#include "plan/plan.h"

namespace planish {

struct BindingUse {
  bool on_host = false;            // a step of the host reads or writes it
  int32_t buffer = -1;             // of the GPU: holds all of the binding and nothing else; -1: none
  const Step* transfer = nullptr;  // the copy between the two
};

bool is_on_device(const Profile& profile, const ViewDesc& view);
bool is_on_device(const Profile& profile, const Step& step);  // an operand or a result is

std::vector<BindingUse> uses_of(const std::vector<Binding>& bindings, const Profile& profile);  // by binding
// The first step that the host computes itself; null: none.
const Step* first_host_step(const Profile& profile);

}  // namespace planish
