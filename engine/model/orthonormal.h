#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace quadgate {

/// Draws of orthonormal vectors side by side, each the same as if it were alone: numbers from
/// N(0, 1), made orthonormal one after the other (Gram and Schmidt, twice, which leaves nothing of
/// the ones before but rounding). A sum of products is a chain of additions, each of which waits
/// for the one before: a core has time for several of them.
class OrthonormalDraws {
 public:
  static constexpr std::size_t kDraws = 2;  // in a vector of every x86-64

  /// `count` vectors of `size` >= count numbers, of draws number `first` and `first` + 1.
  OrthonormalDraws(std::size_t count, std::size_t size, std::uint64_t seed, std::uint32_t first);

  double value(std::size_t draw, std::size_t vector, std::size_t k) const noexcept {
    return values_[vector * size_ + k][draw];
  }

 private:
  using Lanes [[gnu::vector_size(kDraws * sizeof(double))]] = double;  // of the draws

  Lanes* at(std::size_t vector) noexcept { return values_.data() + vector * size_; }
  void draw(std::size_t vector, std::uint64_t seed, std::uint32_t first);
  void finish(std::size_t vector);

  std::size_t size_;
  std::vector<Lanes> values_;  // [count + 1, size]: behind the last vector zeros
};

}  // namespace quadgate
