#include "engine/dropout.h"

#include <algorithm>
#include <cstddef>

#include "engine/random.h"

namespace quadgate {

void apply_dropout(const DropoutKey& key, double p, std::int64_t layer, std::int64_t row,
                   std::int64_t t, std::span<float> values) noexcept {
  const auto threshold = static_cast<float>(p);
  const float scale = 1 / (1 - threshold);
  const auto use =
      static_cast<std::uint32_t>(RandomUse::dropout) | static_cast<std::uint32_t>(layer + 1) << 8;
  const std::size_t blocks = (values.size() + 3) / 4;
  for (std::size_t block = 0; block < blocks; ++block) {
    const auto words = philox(
        key.seed, {use, static_cast<std::uint32_t>(key.step), static_cast<std::uint32_t>(row),
                   static_cast<std::uint32_t>(t) * static_cast<std::uint32_t>(blocks) +
                       static_cast<std::uint32_t>(block)});
    const auto four =
        values.subspan(4 * block, std::min<std::size_t>(4, values.size() - 4 * block));
    for (std::size_t i = 0; i < four.size(); ++i) {
      four[i] *= to_unit_float(words[i]) >= threshold ? scale : 0.0F;
    }
  }
}

}  // namespace quadgate
