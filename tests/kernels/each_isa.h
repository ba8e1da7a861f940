#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "kernels/base/isa.h"
#include "kernels/base/panels.h"

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
  return ::testing::Values(Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_bf16);
}

inline std::string isa_name(const ::testing::TestParamInfo<Isa>& info) {
  return std::string(to_string(info.param));
}

/// What the kernels of products and cells are chosen by.
struct IsaAndKind {
  Isa isa = Isa::scalar;
  Arithmetic kind = Arithmetic::fastest;
};
inline std::ostream& operator<<(std::ostream& out, const IsaAndKind& of) {
  return out << of.isa << (of.kind == Arithmetic::consistent ? "_same" : "_fast");
}

/// Runs its tests once for every ISA and kind of panels.
class EachIsaAndKind : public ::testing::TestWithParam<IsaAndKind> {
 protected:
  void SetUp() override { skip_without(GetParam().isa); }
};

inline auto all_isas_and_kinds() {
  std::vector<IsaAndKind> all;
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_bf16}) {
    for (const Arithmetic kind : {Arithmetic::fastest, Arithmetic::consistent})
      all.push_back({isa, kind});
  }
  return ::testing::ValuesIn(all);
}

inline std::string isa_and_kind_name(const ::testing::TestParamInfo<IsaAndKind>& info) {
  return ::testing::PrintToString(info.param);
}

}  // namespace quadgate::kernels
