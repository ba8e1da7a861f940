#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace quadgate {

/// Orthonormal vectors: numbers from N(0, 1), made orthonormal one after the other (Gram and
/// Schmidt, twice, which leaves nothing of the ones before but rounding). It goes by panels of
/// vectors: products of two panels, which stay in the caches, are nearly all of its work.
class Orthonormal {
 public:
  /// `count` vectors of `size` >= count numbers, of a draw of its own.
  Orthonormal(std::size_t count, std::size_t size, std::uint64_t seed, std::uint32_t draw);

  double value(std::size_t vector, std::size_t k) const noexcept {
    return values_[(vector / kPanel * rows_ + k) * kPanel + vector % kPanel];
  }

 private:
  static constexpr std::size_t kPanel = 16;

  double* panel(std::size_t index) noexcept { return values_.data() + index * rows_ * kPanel; }
  void draw(std::size_t vector, std::uint64_t seed, std::uint32_t draw);
  void take_out(std::size_t before, std::size_t index);
  void make_orthonormal(std::size_t index);

  std::size_t count_, size_;
  std::size_t rows_;            // of a panel: behind row `size` zeros
  std::vector<double> values_;  // [panels, rows, kPanel], behind the last vector zeros
};

}  // namespace quadgate
