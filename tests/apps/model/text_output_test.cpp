// Sweeps: values of float32 in small and large units, near to and far from 0.

#include "apps/model/text_output.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>

namespace quadgate::apps {
namespace {

TEST(ShortestTest, GivesTheDigitsOfFloats) {
  for (const float value : {0.1F, -16.2F, 99668.42F, 3e-20F, 1e30F, 0.0F}) {
    EXPECT_EQ(shortest(static_cast<double>(value), 0, 1), fmt::format("{}", value));
  }
}

TEST(ShortestTest, TellsValuesOfAScaleFromTheNext) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (const double mean : {0.0, -16.0, 1e5, 1e9}) {
    for (const double std : {1e-3, 1.0, 9.0, 1e4}) {
      for (int i = 0; i < 200; ++i) {
        const auto computed = static_cast<double>(normal(random));
        const double value = computed * std + mean;
        const std::string text = shortest(value, mean, std);
        const double found = (std::strtod(text.c_str(), nullptr) - mean) / std;
        // The sums of doubles cost more where mean is far above std.
        const double most =
            std::max(1.0, std::abs(computed)) * 0x1p-24 + std::abs(mean / std) * 0x1p-51;
        EXPECT_LE(std::abs(found - computed), most) << text << " " << mean << " " << std;
      }
    }
  }
  EXPECT_EQ(shortest(18.1234567891, 16, 9), "18.123457");
  EXPECT_EQ(shortest(99668.4271155066, 99660, 30), "99668.4271155");
}

}  // namespace
}  // namespace quadgate::apps
