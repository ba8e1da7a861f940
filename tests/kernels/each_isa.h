#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "kernels/base/isa.h"

namespace quadgate::kernels {

/// How GoogleTest prints an ISA.
inline std::ostream& operator<<(std::ostream& out, Isa isa) { return out << to_string(isa); }

/// Skips a test whose ISA this machine lacks, saying so.
inline void skip_without(Isa isa) {
  if (isa > detected_isa()) GTEST_SKIP() << "NOT TESTED: this machine has no " << isa;
}

/// Runs its tests once for every ISA.
class EachIsa : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { skip_without(GetParam()); }
};

inline auto all_isas() {
  return ::testing::Values(Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_bf16, Isa::amx_bf16);
}

inline std::string isa_name(const ::testing::TestParamInfo<Isa>& info) {
  return std::string(to_string(info.param));
}

}  // namespace quadgate::kernels
