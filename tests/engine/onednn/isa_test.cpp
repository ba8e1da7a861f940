// Sweeps the instruction sets as caps after oneDNN has made a primitive, when it is too late. That
// a cap in time works is seen where a program runs under one. No tolerance: there are no numbers.

#include "engine/onednn/isa.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/onednn/primitives.h"
#include "kernels/base/isa.h"

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

}  // namespace
}  // namespace quadgate::onednn
