#pragma once
// Target: what a plan is built for. A processor, and maybe an accelerator that computes for it; what the steps of
// compile/ want to know of either they ask here.

#include <string>

#include "device/device.h"
#include "tactics/tactic.h"

namespace planish {

struct Target {
  Isa isa = Isa::scalar;  // of steps of the processor
  int threads = 1;
  std::string arch;  // of the accelerator ("sm_90a"), whose memory MemorySpace::device is; empty: the processor alone

  bool is_accelerated() const { return !arch.empty(); }
  std::string name() const;          // as plans state it: "cpu", "cuda:sm_90a"
  std::string timings_name() const;  // of what computes, in keys of timings: "avx512", "sm_90a"
  bool is(Device& device) const;     // the device can run what is built

  // Where nodes are computed, and elements moved, that have a kernel there.
  MemorySpace space() const { return is_accelerated() ? MemorySpace::device : MemorySpace::host; }
  double copy_rate() const;                               // bytes a microsecond that a change of order moves there
  bool stores_half() const { return !is_accelerated(); }  // its kernels take f32 that lies as bf16
  bool multiplies_factored_rows() const { return arch == "sm_90a"; }  // products behind factors (fuse_factors)
  bool compiles_kernels() const { return is_accelerated(); }          // to emit a candidate takes a compiler, and long

  // What computes a node, of the target itself; where nothing does, and in bodies, the processor: propose_on_host.
  CandidateSink propose(const Graph& graph, const Node& node, const Precisions& precisions) const;
  CandidateSink propose_on_host(const Graph& graph, const Node& node, const Precisions& precisions) const;
  // A copy within MemorySpace::device, from and to any strides: a step without a name.
  Step copy_on_device(const ViewDesc& from, const ViewDesc& to) const;

  // Error(unsupported): this machine has no compiler for its kernels.
  void check_compiler() const;
  // The file in which processes share what was measured with this device; empty: there is none.
  std::string shared_timings(const Device& device) const;
};

std::string accelerator_arch(Device& device);  // empty: it has none

// A file of shared_timings was read: those that were not used for longest go first.
void mark_timings_used(const std::string& file) noexcept;

// Kernels that this process has compiled so far, or found compiled; seconds of all threads together.
struct CompiledKernels {
  int compiled = 0, from_disk = 0;
  double seconds = 0;
};
CompiledKernels compiled_kernels();

}  // namespace planish
