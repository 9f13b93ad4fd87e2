#include "base/cpu_features.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace planish {
namespace {

int cores_of_affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

// Whole cores that the control group's quota allows; a large number when there is none.
int cores_of_cgroup() {
  std::string quota;
  double period = 0;
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2 >> quota >> period && quota != "max")
    return std::max(1, static_cast<int>(std::ceil(std::atof(quota.c_str()) / period)));
  double limit = -1;
  std::ifstream v1("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), v1_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (v1 >> limit && v1_period >> period && limit > 0) return std::max(1, static_cast<int>(std::ceil(limit / period)));
  return 1 << 20;
}

int64_t cache_bytes(int name, int64_t fallback) {
  const long bytes = sysconf(name);
  return bytes > 0 ? bytes : fallback;
}

#if defined(__x86_64__)
struct Registers {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(unsigned leaf, unsigned subleaf = 0) {
  Registers r;
  if (!__get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d)) return {};
  return r;
}

bool bit(unsigned value, int index) { return ((value >> index) & 1) != 0; }

uint64_t enabled_state() {
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

std::string brand_string() {
  std::string brand;
  for (unsigned leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
    const Registers r = cpuid(leaf);
    for (unsigned word : {r.a, r.b, r.c, r.d})
      for (int i = 0; i < 4; ++i)
        if (const char c = static_cast<char>(word >> (8 * i)); c != 0) brand += c;
  }
  while (!brand.empty() && brand.back() == ' ') brand.pop_back();
  return brand;
}

// Instructions count only when the system saves their registers (XCR0).
void detect(CpuInfo& info) {
  info.brand = brand_string();
  const Registers one = cpuid(1);
  if (!bit(one.c, 27)) return;
  const uint64_t state = enabled_state();
  const bool ymm = (state & 0x6) == 0x6, zmm = (state & 0xe6) == 0xe6, tiles = (state & 0x60000) == 0x60000;
  const Registers seven = cpuid(7), seven_one = cpuid(7, 1);
  info.fma = ymm && bit(one.c, 12);
  info.f16c = ymm && bit(one.c, 29);
  info.avx2 = ymm && bit(seven.b, 5);
  info.avx_vnni = ymm && bit(seven_one.a, 4);
  info.avx512f = zmm && bit(seven.b, 16);
  info.avx512dq = zmm && bit(seven.b, 17);
  info.avx512bw = zmm && bit(seven.b, 30);
  info.avx512vl = zmm && bit(seven.b, 31);
  info.avx512_vnni = zmm && bit(seven.c, 11);
  info.avx512_bf16 = zmm && bit(seven_one.a, 5);
  info.avx512_fp16 = zmm && bit(seven.d, 23);
  info.amx_tile = tiles && bit(seven.d, 24);
}
#else
void detect(CpuInfo& info) { info.brand = "generic"; }
#endif

CpuInfo make_info() {
  CpuInfo info;
  detect(info);
  info.logical_cores = std::min(cores_of_affinity(), cores_of_cgroup());
  info.l1d_bytes = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, info.l1d_bytes);
  info.l2_bytes = cache_bytes(_SC_LEVEL2_CACHE_SIZE, info.l2_bytes);
  info.l3_bytes = cache_bytes(_SC_LEVEL3_CACHE_SIZE, info.l3_bytes);
  return info;
}

}  // namespace

std::string_view isa_name(Isa isa) { return isa == Isa::scalar ? "scalar" : isa == Isa::avx2 ? "avx2" : "avx512"; }

Isa parse_isa(std::string_view name) {
  for (Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512})
    if (isa_name(isa) == name) return isa;
  fail(Code::invalid_argument, "'{}' is no instruction set level; scalar, avx2 and avx512 are accepted", name);
}

Isa CpuInfo::best_isa() const {
  if (!(avx2 && fma && f16c)) return Isa::scalar;
  return avx512f && avx512bw && avx512vl && avx512dq ? Isa::avx512 : Isa::avx2;
}

std::string CpuInfo::fingerprint() const {
  return fmt::format("{}; {}{}{}{}{}; l1d {} l2 {} l3 {}", brand, isa_name(best_isa()), avx512_vnni ? "+vnni" : "",
                     avx512_bf16 ? "+bf16" : "", avx512_fp16 ? "+fp16" : "", amx_tile ? "+amx" : "", l1d_bytes,
                     l2_bytes, l3_bytes);
}

const CpuInfo& cpu_info() {
  static const CpuInfo info = make_info();
  return info;
}

Isa active_isa() {
  const char* wanted = std::getenv("PLANISH_CPU_ISA");
  if (wanted == nullptr || *wanted == 0) return cpu_info().best_isa();
  const Isa isa = with_context([] { return std::string("PLANISH_CPU_ISA"); }, [&] { return parse_isa(wanted); });
  if (isa > cpu_info().best_isa())
    fail(Code::invalid_argument, "PLANISH_CPU_ISA={}, this processor has {} at most", wanted,
         isa_name(cpu_info().best_isa()));
  return isa;
}

}  // namespace planish
