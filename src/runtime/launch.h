#pragma once
// PreparedLaunch: a launch step for the current shapes, its arguments laid out as the kernel reads them.

#include <span>
#include <vector>

#include "device/accelerator.h"
#include "plan/launch.h"
#include "tensor/view.h"

namespace planish {

class PreparedLaunch {
 public:
  // `params`: with expressions evaluated. Error(invalid_plan) for what check_launch did not see.
  PreparedLaunch(const LaunchAttrs& params, const DeviceFunction& function);

  // Lays out the arguments for operands at these addresses.
  void place(std::span<const TensorView> inputs, std::span<const TensorView> outputs, Accelerator& accelerator);
  void run(Accelerator& accelerator, Stream& stream);

 private:
  void append(const void* data, size_t bytes, size_t alignment);
  void append_view(const TensorView& view);
  void append_elementwise(std::span<const TensorView> inputs, const TensorView& output);
  void append_map(std::span<const TensorView> inputs, std::span<const TensorView> outputs, Accelerator& accelerator);

  LaunchAttrs params_;
  const DeviceFunction& function_;
  LaunchShape shape_;
  bool empty_ = false;             // a grid of no blocks
  std::vector<uint64_t> storage_;  // arguments behind each other, 64-byte aligned where a tensor map is
  size_t used_ = 0;                // bytes of it
  std::vector<size_t> offsets_;
  std::vector<void*> arguments_;
  size_t next_map_ = 0;
};

}  // namespace planish
