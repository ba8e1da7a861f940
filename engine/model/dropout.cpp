#include "engine/model/dropout.h"

#include <cmath>

#include "engine/base/random.h"

namespace quadgate {

Dropout::Dropout(double p, kernels::Isa isa) noexcept
    : kernel_(kernels::dropout_kernel(isa)),
      is_on_(p > 0),
      threshold_(static_cast<std::uint32_t>(std::ceil(static_cast<float>(p) * 0x1p24F))),
      scale_(1 / (1 - static_cast<float>(p))) {}

void Dropout::features(const DropoutKey& key, std::int64_t layer, std::int64_t row, std::int64_t t,
                       std::span<const float> from, float* to) const noexcept {
  const auto blocks = static_cast<std::uint32_t>((from.size() + 3) / 4);
  const auto use =
      static_cast<std::uint32_t>(RandomUse::dropout) | static_cast<std::uint32_t>(layer + 1) << 8;
  kernel_({.key = key.seed,
           .counter = {use, static_cast<std::uint32_t>(key.step),
                       static_cast<std::uint32_t>(key.first_row + row)},
           .first_block = static_cast<std::uint32_t>(t) * blocks,
           .threshold = threshold_,
           .scale = scale_},
          std::ssize(from), from.data(), to);
}

void Dropout::weights(const DropoutKey& key, std::int64_t layer, std::int64_t direction,
                      std::int64_t row, std::int64_t column, std::span<const float> from,
                      float* to) const noexcept {
  const auto use = static_cast<std::uint32_t>(RandomUse::weight_dropout) |
                   static_cast<std::uint32_t>(2 * layer + direction) << 8;
  kernel_({.key = key.seed,
           .counter = {use, static_cast<std::uint32_t>(key.step), static_cast<std::uint32_t>(row)},
           .first_block = static_cast<std::uint32_t>(column / 4),
           .threshold = threshold_,
           .scale = scale_},
          std::ssize(from), from.data(), to);
}

}  // namespace quadgate
