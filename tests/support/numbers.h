#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <type_traits>
#include <vector>

namespace quadgate::testing {

/// Random numbers for tests: the same on every machine and with every standard library.
class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}

  /// Uniform in [low, high).
  float uniform(float low, float high) {
    return low + (high - low) * static_cast<float>(engine_() >> 8) * 0x1.0p-24F;
  }
  /// Uniform in [low, high].
  std::int64_t integer(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint32_t>(high - low + 1));
  }
  /// `size` numbers, uniform in [-bound, bound). A float holds them exactly.
  template <typename T = float>
  std::vector<T> values(std::size_t size, float bound = 1) {
    std::vector<T> values(size);
    std::ranges::generate(values, [&] { return static_cast<T>(uniform(-bound, bound)); });
    return values;
  }

 private:
  std::mt19937 engine_;
};

/// The largest |actual - expected|, as a fraction of the largest |expected|; infinite if the sizes
/// differ or a value is NaN.
template <typename Actual, typename Expected>
double relative_error(const Actual& actual, const Expected& expected) {
  if (std::size(actual) != std::size(expected)) return INFINITY;
  double error = 0;
  double largest = 0;
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    const double difference =
        std::abs(static_cast<double>(actual[i]) - static_cast<double>(expected[i]));
    if (std::isnan(difference)) return INFINITY;
    error = std::max(error, difference);
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
  }
  return error == 0 ? 0 : error / largest;
}

}  // namespace quadgate::testing
