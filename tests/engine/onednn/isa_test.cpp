// Sweeps the instruction sets as caps of a new process, and of one in which oneDNN has made a
// primitive, when it is too late. No tolerance: there are no numbers.

#include "engine/onednn/isa.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "engine/base/error.h"
#include "engine/onednn/primitives.h"
#include "kernels/base/isa.h"

extern "C" int dnnl_get_effective_cpu_isa();  // bits of dnnl_cpu_isa_t; tests have no header of it

namespace quadgate::onednn {
namespace {

TEST(OnednnIsaTest, RefusesACapThatComesTooLate) {
  const Primitives first({.seq_len = 1, .rows = 1, .input_size = 1, .hidden_size = 1, .y_width = 1},
                         1);
  for (const auto isa : {kernels::Isa::scalar, kernels::Isa::avx2, kernels::Isa::avx512,
                         kernels::Isa::avx512_bf16, kernels::Isa::amx_bf16}) {
    EXPECT_THROW(onednn::cap_isa(isa), Error);
  }
}

// Ends with 0 if oneDNN has nothing of what the machine has but the bits of `most`.
void cap(kernels::Isa isa, int most) {
  onednn::cap_isa(isa);
  std::exit((dnnl_get_effective_cpu_isa() & ~most) == 0 ? 0 : 1);
}

TEST(OnednnIsaTest, CapsAsTheKernelsAreCapped) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const ::testing::ExitedWithCode capped(0);
  EXPECT_EXIT(cap(kernels::Isa::scalar, 0x1), capped, "");        // dnnl_cpu_isa_sse41
  EXPECT_EXIT(cap(kernels::Isa::avx2, 0x7), capped, "");          // dnnl_cpu_isa_avx2
  EXPECT_EXIT(cap(kernels::Isa::avx512, 0x27), capped, "");       // dnnl_cpu_isa_avx512_core
  EXPECT_EXIT(cap(kernels::Isa::avx512_bf16, 0xe7), capped, "");  // dnnl_cpu_isa_avx512_core_bf16
}

}  // namespace
}  // namespace quadgate::onednn
