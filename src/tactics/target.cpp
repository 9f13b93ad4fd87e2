#include "tactics/target.h"

#include "base/error.h"
#include "device/accelerator.h"
#include "device/cuda/image_cache.h"
#include "device/cuda/nvrtc.h"
#include "tactics/cuda/common/copy.h"
#include "tactics/cuda/common/source.h"

namespace planish {
namespace {

constexpr double kHostCopyRate = 8e3, kDeviceCopyRate = 1e6;

}  // namespace

std::string Target::name() const { return is_accelerated() ? "cuda:" + arch : "cpu"; }

std::string Target::timings_name() const { return is_accelerated() ? arch : std::string(isa_name(isa)); }

bool Target::is(Device& device) const {
  return is_accelerated() ? arch == accelerator_arch(device) : cpu_info().has(isa);
}

double Target::copy_rate() const { return is_accelerated() ? kDeviceCopyRate : kHostCopyRate; }

CandidateSink Target::propose(const Graph& graph, const Node& node, const Precisions& precisions) const {
  if (!is_accelerated()) return propose_on_host(graph, node, precisions);
  return cuda_tactics().propose_fast({graph, node, isa, threads, precisions, arch});
}

CandidateSink Target::propose_on_host(const Graph& graph, const Node& node, const Precisions& precisions) const {
  return cpu_tactics().propose({graph, node, isa, threads, precisions, arch});
}

Step Target::copy_on_device(const ViewDesc& from, const ViewDesc& to) const { return cuda_copy_step(from, to, arch); }

void Target::check_compiler() const {
  if (is_accelerated() && !cuda::nvrtc_missing().empty())
    fail(Code::unsupported,
         "{}; plans for a GPU are built with it (those built elsewhere run without), and --device cpu builds for the "
         "processor",
         cuda::nvrtc_missing());
}

std::string Target::shared_timings(const Device& device) const {
  const std::string folder = is_accelerated() ? cuda::cache_folder() : "";
  if (folder.empty()) return "";
  return cuda::timings_file(folder, hash64(device.fingerprint() + tactics::cuda::sources_hash().hex()));
}

std::string accelerator_arch(Device& device) {
  return device.accelerator() == nullptr ? "" : device.accelerator()->arch();
}

void mark_timings_used(const std::string& file) noexcept { cuda::mark_used(file); }

CompiledKernels compiled_kernels() {
  const tactics::cuda::ImageCounts counts = tactics::cuda::image_counts();
  return {counts.compiled, counts.from_disk, counts.seconds};
}

}  // namespace planish
