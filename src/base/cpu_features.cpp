#include "base/cpu_features.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "base/affinity.h"
#include "base/control_group.h"
#include "base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace planish {
namespace {

constexpr std::pair<CpuFeature, std::string_view> kFeatures[] = {
    {CpuFeature::avx2, "avx2"},
    {CpuFeature::fma, "fma"},
    {CpuFeature::f16c, "f16c"},
    {CpuFeature::avx_vnni, "avx_vnni"},
    {CpuFeature::avx512f, "avx512f"},
    {CpuFeature::avx512bw, "avx512bw"},
    {CpuFeature::avx512vl, "avx512vl"},
    {CpuFeature::avx512dq, "avx512dq"},
    {CpuFeature::avx512_vnni, "avx512_vnni"},
    {CpuFeature::avx512_bf16, "avx512_bf16"},
    {CpuFeature::amx_tile, "amx_tile"},
    {CpuFeature::amx_int8, "amx_int8"},
    {CpuFeature::amx_bf16, "amx_bf16"},
};

template <class... Features>
constexpr uint32_t bits_of(Features... features) {
  return (0u | ... | (1u << static_cast<int>(features)));
}

struct Level {
  std::string_view name;
  uint32_t needs;
};

constexpr uint32_t kAvx2 = bits_of(CpuFeature::avx2, CpuFeature::fma, CpuFeature::f16c);
constexpr uint32_t kAvx512 =
    kAvx2 | bits_of(CpuFeature::avx512f, CpuFeature::avx512bw, CpuFeature::avx512vl, CpuFeature::avx512dq);
constexpr uint32_t kVnni = kAvx512 | bits_of(CpuFeature::avx512_vnni), kBf16 = kVnni | bits_of(CpuFeature::avx512_bf16);
constexpr Level kLevels[] = {
    // in the order of Isa
    {"scalar", 0},
    {"avx2", kAvx2},
    {"avx2_vnni", kAvx2 | bits_of(CpuFeature::avx_vnni)},
    {"avx512", kAvx512},
    {"avx512_vnni", kVnni},
    {"avx512_bf16", kBf16},
    {"amx", kBf16 | bits_of(CpuFeature::amx_tile, CpuFeature::amx_int8, CpuFeature::amx_bf16)},
};

// Bytes of the data or unified cache of a level, as the kernel lists them; else as the C library knows.
int64_t cache_bytes(int level, int name, int64_t fallback) {
  for (int index = 0; index < 8; ++index) {
    const std::string folder = fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}/", index);
    int found = 0;
    std::string type;
    int64_t kibibytes = 0;
    std::ifstream level_file(folder + "level"), type_file(folder + "type"), size_file(folder + "size");
    if (level_file >> found && type_file >> type && size_file >> kibibytes && found == level && type != "Instruction" &&
        kibibytes > 0)
      return kibibytes << 10;
  }
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

// Tile registers are 8 KiB of state that a process has to ask for: once, before any thread uses them.
bool tiles_are_permitted() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

// Instructions count only when the system saves their registers (XCR0).
void detect(CpuInfo& info) {
  info.brand = brand_string();
  const Registers one = cpuid(1);
  if (!bit(one.c, 27)) return;
  const uint64_t state = enabled_state();
  const bool ymm = (state & 0x6) == 0x6, zmm = (state & 0xe6) == 0xe6;
  const Registers seven = cpuid(7), seven_one = cpuid(7, 1);
  const bool tiles = (state & 0x60000) == 0x60000 && bit(seven.d, 24) && tiles_are_permitted();
  const auto found = [&info](CpuFeature feature, bool present) {
    info.features |= static_cast<uint32_t>(present) << static_cast<int>(feature);
  };
  found(CpuFeature::fma, ymm && bit(one.c, 12));
  found(CpuFeature::f16c, ymm && bit(one.c, 29));
  found(CpuFeature::avx2, ymm && bit(seven.b, 5));
  found(CpuFeature::avx_vnni, ymm && bit(seven_one.a, 4));
  found(CpuFeature::avx512f, zmm && bit(seven.b, 16));
  found(CpuFeature::avx512dq, zmm && bit(seven.b, 17));
  found(CpuFeature::avx512bw, zmm && bit(seven.b, 30));
  found(CpuFeature::avx512vl, zmm && bit(seven.b, 31));
  found(CpuFeature::avx512_vnni, zmm && bit(seven.c, 11));
  found(CpuFeature::avx512_bf16, zmm && bit(seven_one.a, 5));
  found(CpuFeature::amx_tile, tiles);
  found(CpuFeature::amx_int8, tiles && bit(seven.d, 25));
  found(CpuFeature::amx_bf16, tiles && bit(seven.d, 22));
}
#else
void detect(CpuInfo& info) { info.brand = "generic"; }
#endif

CpuInfo make_info() {
  CpuInfo info;
  detect(info);
  info.logical_cores = std::min(usable_processors(), cores_of_control_groups());
  info.l1d_bytes = cache_bytes(1, _SC_LEVEL1_DCACHE_SIZE, info.l1d_bytes);
  info.l2_bytes = cache_bytes(2, _SC_LEVEL2_CACHE_SIZE, info.l2_bytes);
  info.l3_bytes = cache_bytes(3, _SC_LEVEL3_CACHE_SIZE, info.l3_bytes);
  return info;
}

}  // namespace

std::string_view isa_name(Isa isa) { return kLevels[static_cast<size_t>(isa)].name; }

std::string isa_names() {
  std::string names;
  for (Isa isa : kIsas) {
    if (isa != Isa::scalar) names += isa == std::end(kIsas)[-1] ? " and " : ", ";
    names += isa_name(isa);
  }
  return names;
}

Isa parse_isa(std::string_view name) {
  for (Isa isa : kIsas)
    if (isa_name(isa) == name) return isa;
  fail(Code::invalid_argument, "'{}' is no instruction set level; {} are accepted", name, isa_names());
}

std::string CpuInfo::missing(Isa isa) const {
  std::string names;
  const Level& level = kLevels[static_cast<size_t>(isa)];
  for (const auto& [feature, name] : kFeatures)
    if (((level.needs >> static_cast<int>(feature)) & 1) != 0 && !has(feature))
      names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

bool CpuInfo::has(Isa isa) const {
  const uint32_t needs = kLevels[static_cast<size_t>(isa)].needs;
  return (features & needs) == needs;
}

Isa CpuInfo::best_isa() const {
  Isa best = Isa::scalar;
  for (Isa isa : kIsas)
    if (has(isa)) best = isa;
  return best;
}

std::string CpuInfo::fingerprint() const {
  std::string names;
  for (const auto& [feature, name] : kFeatures)
    if (has(feature)) names += " " + std::string(name);
  return fmt::format("{};{}; l1d {} l2 {} l3 {}", brand, names, l1d_bytes, l2_bytes, l3_bytes);
}

const CpuInfo& cpu_info() {
  static const CpuInfo info = make_info();
  return info;
}

Isa active_isa() {
  const char* wanted = std::getenv("PLANISH_CPU_ISA");
  if (wanted == nullptr || *wanted == 0) return cpu_info().best_isa();
  const Isa isa = with_context([] { return std::string("PLANISH_CPU_ISA"); }, [&] { return parse_isa(wanted); });
  if (!cpu_info().has(isa))
    fail(Code::invalid_argument, "PLANISH_CPU_ISA={}: this processor lacks {}; its best level is {}", wanted,
         cpu_info().missing(isa), isa_name(cpu_info().best_isa()));
  return isa;
}

}  // namespace planish
