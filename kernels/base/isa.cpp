#include "kernels/base/isa.h"

#include <algorithm>
#include <array>
#include <atomic>

namespace quadgate::kernels {
namespace {

constexpr std::array kAllIsas{Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_bf16};

std::atomic<Isa> isa_cap{Isa::avx512_bf16};

// The builtin also checks that the operating system saves the wide registers (XGETBV).
Isa detect() noexcept {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx2 && avx512) {
    return __builtin_cpu_supports("avx512bf16") ? Isa::avx512_bf16 : Isa::avx512;
  }
  return avx2 ? Isa::avx2 : Isa::scalar;
}

}  // namespace

Isa detected_isa() noexcept {
  static const Isa detected = detect();
  return detected;
}

Isa active_isa() noexcept {
  return std::min(detected_isa(), isa_cap.load(std::memory_order_relaxed));
}

void cap_isa(Isa cap) noexcept { isa_cap.store(cap, std::memory_order_relaxed); }

std::string_view to_string(Isa isa) noexcept {
  switch (isa) {
    case Isa::scalar:
      return "scalar";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512_bf16:
      return "avx512_bf16";
  }
  return "unknown";
}

std::optional<Isa> parse_isa(std::string_view text) noexcept {
  for (const Isa isa : kAllIsas) {
    if (text == to_string(isa)) return isa;
  }
  return std::nullopt;
}

}  // namespace quadgate::kernels
