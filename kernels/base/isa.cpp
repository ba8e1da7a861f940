#include "kernels/base/isa.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>

namespace quadgate::kernels {
namespace {

constexpr std::array kAllIsas{Isa::scalar, Isa::avx2, Isa::avx512, Isa::avx512_bf16, Isa::amx_bf16};

std::atomic<Isa> isa_cap{Isa::amx_bf16};

/// The registers that the operating system saves, a bit each (XCR0).
std::uint64_t saved_registers() noexcept {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return std::uint64_t{high} << 32U | low;
}

/// Asks for the tile registers. Linux gives them to processes that do so alone
/// (https://docs.kernel.org/arch/x86/xstate.html).
bool ask_for_tiles() noexcept {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool has_amx_bf16() noexcept {
  constexpr std::uint32_t kAmxBf16 = 1U << 22U;
  constexpr std::uint32_t kAmxTile = 1U << 24U;
  constexpr std::uint32_t kSavesRegisters = 1U << 27U;  // OSXSAVE: there is XGETBV
  constexpr std::uint64_t kTileState = 3U << 17U;       // XTILECFG and XTILEDATA
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kSavesRegisters) == 0) return false;
  if ((saved_registers() & kTileState) != kTileState) return false;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  return (edx & kAmxBf16) != 0 && (edx & kAmxTile) != 0 && ask_for_tiles();
}

// The builtin also checks that the operating system saves the wide registers (XGETBV).
Isa detect() noexcept {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx2 && avx512) {
    if (!__builtin_cpu_supports("avx512bf16")) return Isa::avx512;
    return has_amx_bf16() ? Isa::amx_bf16 : Isa::avx512_bf16;
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
    case Isa::amx_bf16:
      return "amx_bf16";
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
