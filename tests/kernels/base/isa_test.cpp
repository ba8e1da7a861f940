// Sweeps every ISA through the cap and its name.
// No tolerance: nothing is rounded.

#include "kernels/base/isa.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace quadgate::kernels {
namespace {

class IsaTest : public testing::Test {
 protected:
  void TearDown() override { cap_isa(Isa::amx_bf16); }
};

TEST_F(IsaTest, ActiveIsDetectedWithoutCap) { EXPECT_EQ(active_isa(), detected_isa()); }

TEST_F(IsaTest, CapLowersActiveAndNeverRaisesIt) {
  for (const Isa cap : {Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_bf16, Isa::amx_bf16}) {
    cap_isa(cap);
    EXPECT_EQ(active_isa(), std::min(cap, detected_isa()));
  }
}

TEST_F(IsaTest, CapLeavesDetectedAlone) {
  const Isa before = detected_isa();
  cap_isa(Isa::scalar);
  EXPECT_EQ(detected_isa(), before);
}

TEST_F(IsaTest, NamesAreParsedBack) {
  EXPECT_EQ(to_string(Isa::scalar), "scalar");
  EXPECT_EQ(to_string(Isa::avx2), "avx2");
  EXPECT_EQ(to_string(Isa::avx512), "avx512");
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_bf16, Isa::amx_bf16}) {
    EXPECT_EQ(parse_isa(to_string(isa)), isa);
  }
}

TEST_F(IsaTest, OtherTextIsNoIsa) {
  for (const char* const text : {"", "AVX2", "avx", "avx5120", " avx2", "unknown"}) {
    EXPECT_FALSE(parse_isa(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace quadgate::kernels
