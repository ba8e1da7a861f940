#pragma once

#include <xmmintrin.h>

namespace quadgate::kernels {
namespace {

/// Denormal inputs and results of this core count as 0 while it lives.
class FlushDenormals {
 public:
  FlushDenormals() noexcept : old_(_mm_getcsr()) { _mm_setcsr(old_ | 0x8040U); }
  ~FlushDenormals() { _mm_setcsr(old_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned old_;
};

}  // namespace
}  // namespace quadgate::kernels
