#pragma once
// What the processor can do, and the level of kernels that this allows.

#include <cstdint>
#include <string>
#include <string_view>

namespace planish {

// Kernel levels, each a superset of the one before.
enum class Isa : uint8_t { scalar, avx2, avx512 };

std::string_view isa_name(Isa isa);
Isa parse_isa(std::string_view name);  // throws Error(invalid_argument) listing the accepted names

struct CpuInfo {
  std::string brand;
  int logical_cores = 1;      // usable ones: affinity mask and cgroup limit applied
  int64_t l1d_bytes = 32768;  // per core
  int64_t l2_bytes = 512 << 10;
  int64_t l3_bytes = 8 << 20;  // shared
  bool avx2 = false, fma = false, f16c = false;
  bool avx512f = false, avx512bw = false, avx512vl = false, avx512dq = false;
  bool avx512_vnni = false, avx512_bf16 = false, avx512_fp16 = false, avx_vnni = false, amx_tile = false;

  Isa best_isa() const;
  // Identifies what timings and plans depend on: brand, features, cache sizes.
  std::string fingerprint() const;
};

const CpuInfo& cpu_info();

// The level in force: PLANISH_CPU_ISA lowered to what the host has, else the best. A level that the host
// lacks is an Error(invalid_argument) that names it, never an illegal instruction.
Isa active_isa();

}  // namespace planish
