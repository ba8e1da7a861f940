#include <cstddef>

#include "kernels/random/dropout/impl.h"
#include "kernels/random/philox/philox.h"

namespace quadgate::kernels {

// The specification.
void dropout_scalar(const DropoutMask& mask, std::int64_t count, const float* from,
                    float* to) noexcept {
  for (std::int64_t first = 0; first < count; first += 4) {
    const auto words = philox(mask.key, {mask.counter[0], mask.counter[1], mask.counter[2],
                                         mask.first_block + static_cast<std::uint32_t>(first / 4)});
    for (std::int64_t i = first; i < count && i < first + 4; ++i) {
      to[i] =
          from[i] *
          (words[static_cast<std::size_t>(i - first)] >> 8 >= mask.threshold ? mask.scale : 0.0F);
    }
  }
}

void multiply_scalar(std::int64_t count, const float* factors, const float* from,
                     float* to) noexcept {
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i] * factors[i];
}

}  // namespace quadgate::kernels
