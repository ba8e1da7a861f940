#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// y = f(x) over `n` floats of any alignment; y may be x, and n may be 0.
using ActivationKernel = void (*)(std::int64_t n, const float* x, float* y) noexcept;

// The formulas are those of simd/math.h. All versions round at the same places: a number gets the
// same bits from every ISA and at every position. NaN gives NaN. The errors are measured over all
// floats: at most 5.39 (sigmoid, near -87) and 2.57 ulp (tanh) of the result.

/// f(x) = 1 / (1 + e^-x), within 6 ulp; below x = -88 it is f(-88), which is within 6.1e-39.
ActivationKernel sigmoid_kernel(Isa isa) noexcept;

/// f(x) = tanh(x), within 3 ulp; the zero of f(-0) is positive.
ActivationKernel tanh_kernel(Isa isa) noexcept;

}  // namespace quadgate::kernels
