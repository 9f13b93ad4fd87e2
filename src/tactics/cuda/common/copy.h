#pragma once
// Copies on the device, from and to any strides.

#include "plan/plan.h"

namespace planish {

// A launch step without a name. arch: "sm_90a".
Step cuda_copy_step(const ViewDesc& from, const ViewDesc& to, const std::string& arch);

}  // namespace planish
