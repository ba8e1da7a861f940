#pragma once

// For the files of one instruction set, like math.h.

#include <cstdint>

#include "kernels/simd/denormals.h"
#include "kernels/simd/scalar.h"

namespace quadgate::kernels {
namespace {

/// The tile registers of AMX (amx.h) in plain C++.
class EmulatedTiles {
 public:
  // Each tile is loaded or cleared before it is read.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init,modernize-use-equals-default)
  EmulatedTiles() noexcept {}

  template <int kTile>
  void clear() noexcept {
    for (auto& row : tiles_[kTile]) {
      for (float& value : row) value = 0.0F;
    }
  }
  template <int kTile>
  void load(const float* from, std::int64_t stride) noexcept {
    for (auto& row : tiles_[kTile]) {
      for (std::int64_t i = 0; i < kSide; ++i) row[i] = from[i];
      from += stride;
    }
  }
  template <int kTile>
  void store(float* to, std::int64_t stride) const noexcept {
    for (const auto& row : tiles_[kTile]) {
      for (std::int64_t i = 0; i < kSide; ++i) to[i] = row[i];
      to += stride;
    }
  }
  /// TDPBF16PS as "Intel 64 and IA-32 Architectures Software Developer's Manual", volume 2, has it
  /// under Operation: two sums of a row's products, then their sum, then that of it and the tile's.
  template <int kSum, int kLeft, int kRight>
  void add_product() noexcept {
    for (std::int64_t row = 0; row < kSide; ++row) {
      for (std::int64_t column = 0; column < kSide; ++column) {
        ScalarVec even{0.0F};
        ScalarVec odd{0.0F};
        for (std::int64_t k = 0; k < kSide; ++k) {
          const ScalarVec left{tiles_[kLeft][row][k]};
          const ScalarVec right{tiles_[kRight][k][column]};
          even = fma(lower_half(left), lower_half(right), even);
          odd = fma(upper_half(left), upper_half(right), odd);
        }
        tiles_[kSum][row][column] += even.lanes + odd.lanes;
      }
    }
  }

 private:
  static constexpr std::int64_t kSide = 16;

  FlushDenormals flush_;
  float tiles_[8][kSide][kSide];
};

}  // namespace
}  // namespace quadgate::kernels
