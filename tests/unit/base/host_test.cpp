#include <gtest/gtest.h>

#include <cstdlib>

#include "base/cpu_features.h"
#include "base/error.h"
#include "base/hash.h"

namespace planish {
namespace {

TEST(Hash, IsXxh3) {
  EXPECT_EQ(hash128("", 0).hex(), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(hash64("", 0), 0x2d06800538d394c2u);
  EXPECT_NE(hash64("a"), hash64("b"));
  EXPECT_NE(hash64("a", 1), hash64("a", 2));
}

TEST(CpuInfo, IsPlausible) {
  const CpuInfo& info = cpu_info();
  EXPECT_GE(info.logical_cores, 1);
  EXPECT_GE(info.l1d_bytes, 4096);
  EXPECT_GE(info.l2_bytes, info.l1d_bytes);
  EXPECT_FALSE(info.brand.empty());
  EXPECT_NE(info.fingerprint().find(info.brand), std::string::npos);
  EXPECT_LE(Isa::scalar, info.best_isa());
}

class IsaVariable : public ::testing::Test {
 protected:
  void TearDown() override { had_ ? setenv("PLANISH_CPU_ISA", old_.c_str(), 1) : unsetenv("PLANISH_CPU_ISA"); }
  bool had_ = std::getenv("PLANISH_CPU_ISA") != nullptr;
  std::string old_ = had_ ? std::getenv("PLANISH_CPU_ISA") : "";
};

TEST_F(IsaVariable, LowersTheLevel) {
  setenv("PLANISH_CPU_ISA", "scalar", 1);
  EXPECT_EQ(active_isa(), Isa::scalar);
  setenv("PLANISH_CPU_ISA", "", 1);
  EXPECT_EQ(active_isa(), cpu_info().best_isa());
}

TEST_F(IsaVariable, RefusesUnknownAndMissingLevels) {
  setenv("PLANISH_CPU_ISA", "sse9", 1);
  try {
    active_isa();
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("scalar, avx2, avx2_vnni, avx512, avx512_vnni, avx512_bf16 and amx"),
              std::string::npos);
  }
  setenv("PLANISH_CPU_ISA", "avx512", 1);
  if (!cpu_info().has(Isa::avx512))
    EXPECT_THROW(active_isa(), Error);
  else
    EXPECT_EQ(active_isa(), Isa::avx512);
}

}  // namespace
}  // namespace planish
