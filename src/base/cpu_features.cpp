#include "base/cpu_features.h"

#include <sched.h>
#include <sys/syscall.h>
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

constexpr int kUnlimited = 1 << 20;

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

// The set grows until the kernel's own fits: a fixed one fails beyond 1024 processors.
int cores_of_affinity() {
  for (int processors = 1024; processors <= kUnlimited; processors *= 4) {
    cpu_set_t* set = CPU_ALLOC(static_cast<size_t>(processors));
    if (set == nullptr) return 1;
    const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(processors));
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    const int count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (known) return std::max(count, 1);
  }
  return 1;
}

int whole_cores(double quota, double period) {
  if (quota <= 0 || period <= 0) return kUnlimited;
  return static_cast<int>(std::clamp(std::ceil(quota / period), 1.0, static_cast<double>(kUnlimited)));
}

int cores_of_folder(const std::string& folder) {
  std::string quota;
  double period = 0;
  if (std::ifstream v2(folder + "/cpu.max"); v2 >> quota >> period && quota != "max")
    return whole_cores(std::strtod(quota.c_str(), nullptr), period);
  double limit = -1;
  std::ifstream v1(folder + "/cpu.cfs_quota_us"), v1_period(folder + "/cpu.cfs_period_us");
  return v1 >> limit && v1_period >> period ? whole_cores(limit, period) : kUnlimited;
}

// Whole cores that the quotas of the process's control group and of the groups around it allow.
int cores_of_cgroup() {
  int cores = std::min(cores_of_folder("/sys/fs/cgroup"), cores_of_folder("/sys/fs/cgroup/cpu"));
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool v2 = controllers == ",,";
    if (!v2 && controllers.find(",cpu,") == std::string::npos) continue;
    const std::string root = v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu";
    for (std::string path = line.substr(second + 1); path.size() > 1 && path[0] == '/'; path.resize(path.rfind('/')))
      cores = std::min(cores, cores_of_folder(root + path));
  }
  return cores;
}

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
  info.logical_cores = std::min(cores_of_affinity(), cores_of_cgroup());
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
