#include "kernels/random/dropout/impl.h"

namespace quadgate::kernels {
namespace {

/// The four words of a block.
void philox(std::uint64_t key, std::uint32_t (&words)[4]) noexcept {
  auto key0 = static_cast<std::uint32_t>(key);
  auto key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const std::uint64_t product0 = std::uint64_t{kPhiloxMultipliers[0]} * words[0];
    const std::uint64_t product1 = std::uint64_t{kPhiloxMultipliers[1]} * words[2];
    words[0] = static_cast<std::uint32_t>(product1 >> 32) ^ words[1] ^ key0;
    words[1] = static_cast<std::uint32_t>(product1);
    words[2] = static_cast<std::uint32_t>(product0 >> 32) ^ words[3] ^ key1;
    words[3] = static_cast<std::uint32_t>(product0);
    key0 += kPhiloxWeyl[0];
    key1 += kPhiloxWeyl[1];
  }
}

}  // namespace

// The specification.
void dropout_scalar(const DropoutMask& mask, std::int64_t count, const float* from,
                    float* to) noexcept {
  for (std::int64_t first = 0; first < count; first += 4) {
    std::uint32_t words[4] = {mask.counter[0], mask.counter[1], mask.counter[2],
                              mask.first_block + static_cast<std::uint32_t>(first / 4)};
    philox(mask.key, words);
    for (std::int64_t i = first; i < count && i < first + 4; ++i) {
      to[i] = from[i] * (words[i - first] >> 8 >= mask.threshold ? mask.scale : 0.0F);
    }
  }
}

void multiply_scalar(std::int64_t count, const float* factors, const float* from,
                     float* to) noexcept {
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i] * factors[i];
}

}  // namespace quadgate::kernels
