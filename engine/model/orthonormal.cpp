#include "engine/model/orthonormal.h"

#include <algorithm>
#include <cmath>

#include "engine/base/random.h"

namespace quadgate {

OrthonormalDraws::OrthonormalDraws(std::size_t count, std::size_t size, std::uint64_t seed,
                                   std::uint32_t first)
    : size_(size), values_((count + 1) * size) {
  for (std::size_t vector = 0; vector < count; ++vector) draw(vector, seed, first);
  for (std::size_t vector = 0; vector < count; ++vector) finish(vector);
}

void OrthonormalDraws::draw(std::size_t vector, std::uint64_t seed, std::uint32_t first) {
  for (std::size_t lane = 0; lane < kDraws; ++lane) {
    const auto block = first + static_cast<std::uint32_t>(lane);
    for (std::size_t k = 0; k < size_; k += 4) {
      const auto numbers = to_normal_floats(
          philox(seed, {static_cast<std::uint32_t>(RandomUse::orthogonal), block,
                        static_cast<std::uint32_t>(vector), static_cast<std::uint32_t>(k / 4)}));
      for (std::size_t i = k; i < std::min(k + 4, size_); ++i) {
        at(vector)[i][lane] = numbers[i - k];
      }
    }
  }
}

// A vector goes through those before it for the second time while the next one does for the first
// time, so that they come from memory once for both.
void OrthonormalDraws::finish(std::size_t vector) {
  Lanes* const now = at(vector);
  Lanes* const next = at(vector + 1);
  Lanes along_now{};
  Lanes along_next{};
  for (std::size_t k = 0; k < size_; ++k) {
    along_now += now[k] * at(0)[k];
    along_next += next[k] * at(0)[k];
  }
  for (std::size_t before = 0; before < vector; ++before) {
    const Lanes* const from = at(before);
    const Lanes* const following = at(before + 1);  // the last one is `now`: its square
    Lanes of_now{};
    Lanes of_next{};
    for (std::size_t k = 0; k < size_; ++k) {
      const Lanes rest_of_now = now[k] - along_now * from[k];
      const Lanes rest_of_next = next[k] - along_next * from[k];
      now[k] = rest_of_now;
      next[k] = rest_of_next;
      of_now += rest_of_now * following[k];
      of_next += rest_of_next * following[k];
    }
    along_now = of_now;
    along_next = of_next;
  }
  Lanes length{};
  for (std::size_t lane = 0; lane < kDraws; ++lane) length[lane] = std::sqrt(along_now[lane]);
  along_next = Lanes{};
  for (std::size_t k = 0; k < size_; ++k) {
    now[k] /= length;
    along_next += next[k] * now[k];
  }
  for (std::size_t k = 0; k < size_; ++k) next[k] -= along_next * now[k];
}

}  // namespace quadgate
