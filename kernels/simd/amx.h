#pragma once

// For files compiled with AMX-TILE and AMX-BF16 and the flags of AVX-512, like avx512.h.

#include <cstdint>

namespace quadgate::kernels {
namespace {

/// The eight tile registers of AMX. While it lives, each is 16 rows of 16 floats or pairs of bf16;
/// afterwards the core is without tiles again. EmulatedTiles do the same everywhere.
///
/// The instructions are assembly here: the intrinsics of gcc 12 take no template's number for a
/// tile, and do not tell the compiler which memory they read and write.
class AmxTiles {
 public:
  AmxTiles() noexcept {
    const Configuration configuration;
    asm volatile("ldtilecfg %0" : : "m"(configuration));
  }
  ~AmxTiles() { asm volatile("tilerelease"); }
  AmxTiles(const AmxTiles&) = delete;
  AmxTiles& operator=(const AmxTiles&) = delete;

  template <int kTile>
  void clear() noexcept {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  /// Rows `stride` floats apart.
  template <int kTile>
  void load(const float* from, std::int64_t stride) noexcept {
    asm volatile("tileloadd (%0,%1,4), %%tmm%c2" : : "r"(from), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kTile>  // NOLINTNEXTLINE(readability-non-const-parameter): it writes there
  void store(float* to, std::int64_t stride) const noexcept {
    asm volatile("tilestored %%tmm%c2, (%0,%1,4)" : : "r"(to), "r"(stride), "i"(kTile) : "memory");
  }
  /// Adds to the floats of kSum the product of the pairs of kLeft, whose rows have neighbours, and
  /// of kRight, whose rows have pairs of rows (matrix/bf16/bf16.h).
  template <int kSum, int kLeft, int kRight>
  void add_product() noexcept {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kLeft), "i"(kRight));
  }

 private:
  struct alignas(64) Configuration {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  };
  static_assert(sizeof(Configuration) == 64);
};

}  // namespace
}  // namespace quadgate::kernels
