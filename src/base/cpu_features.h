#pragma once
// What the processor can do, and the level of kernels that this allows.

#include <cstdint>
#include <string>
#include <string_view>

namespace planish {

// Kernel levels. Code is compiled for three of them (code_level); the others name instructions that matrix kernels of
// that code may use besides, which the parameters of a step ask for (kernels/gemm.h: Mma).
enum class Isa : uint8_t { scalar, avx2, avx2_vnni, avx512, avx512_vnni, avx512_bf16, amx };
constexpr Isa kIsas[] = {Isa::scalar,      Isa::avx2,        Isa::avx2_vnni, Isa::avx512,
                         Isa::avx512_vnni, Isa::avx512_bf16, Isa::amx};

// The level whose compiled code serves `isa`: scalar, avx2 or avx512.
constexpr Isa code_level(Isa isa) {
  return isa >= Isa::avx512 ? Isa::avx512 : isa == Isa::scalar ? Isa::scalar : Isa::avx2;
}

std::string_view isa_name(Isa isa);
std::string isa_names();               // "scalar, avx2, … and amx"
Isa parse_isa(std::string_view name);  // throws Error(invalid_argument) listing the accepted names

enum class CpuFeature : uint8_t {
  avx2,
  fma,
  f16c,
  avx_vnni,
  avx512f,
  avx512bw,
  avx512vl,
  avx512dq,
  avx512_vnni,
  avx512_bf16,
  amx_tile,
  amx_int8,
  amx_bf16
};

struct CpuInfo {
  std::string brand;
  int logical_cores = 1;      // usable ones: affinity mask and cgroup limit applied
  int64_t l1d_bytes = 32768;  // per core
  int64_t l2_bytes = 512 << 10;
  int64_t l3_bytes = 8 << 20;  // shared
  uint32_t features = 0;       // bit f: CpuFeature f; of tiles only where the system lets this process use them

  bool has(CpuFeature feature) const { return ((features >> static_cast<int>(feature)) & 1) != 0; }
  bool has(Isa isa) const;
  // Features that the level needs and this processor lacks: "avx512f, avx512bw"; empty: it has the level.
  std::string missing(Isa isa) const;
  Isa best_isa() const;  // the last one that it has
  // Identifies what timings and plans depend on: brand, features, cache sizes.
  std::string fingerprint() const;
};

const CpuInfo& cpu_info();

// The level in force: PLANISH_CPU_ISA lowered to what the host has, else the best. A level that the host
// lacks is an Error(invalid_argument) that names it, never an illegal instruction.
Isa active_isa();

}  // namespace planish
