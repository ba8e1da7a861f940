#include "kernels/random/philox/philox.h"

#include "kernels/random/philox/blocks.h"

namespace quadgate::kernels {
namespace {

/// 1 lane of 64 bits.
struct ScalarWords {
  std::uint64_t lanes;

  static ScalarWords broadcast(std::uint32_t word) noexcept { return {word}; }
  std::uint32_t lower() const noexcept { return static_cast<std::uint32_t>(lanes); }

  /// Of the lower halves.
  friend ScalarWords multiply(ScalarWords a, ScalarWords b) noexcept {
    return {std::uint64_t{a.lower()} * b.lower()};
  }
  friend ScalarWords upper(ScalarWords a) noexcept { return {a.lanes >> 32}; }
  friend ScalarWords three_way_xor(ScalarWords a, ScalarWords b, ScalarWords c) noexcept {
    return {a.lanes ^ b.lanes ^ c.lanes};
  }
};

}  // namespace

std::array<std::uint32_t, 4> philox(std::uint64_t key,
                                    const std::array<std::uint32_t, 4>& counter) noexcept {
  PhiloxBlocks<ScalarWords> block{{{counter[0]}, {counter[1]}, {counter[2]}, {counter[3]}}};
  block.encrypt(key);
  return {block.words[0].lower(), block.words[1].lower(), block.words[2].lower(),
          block.words[3].lower()};
}

}  // namespace quadgate::kernels
