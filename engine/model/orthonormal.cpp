#include "engine/model/orthonormal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "engine/base/random.h"

namespace quadgate {
namespace {

using Pair [[gnu::vector_size(2 * sizeof(double))]] = double;  // a vector of every x86-64

constexpr std::size_t kSide = 4;        // rows and columns whose sums lie in registers
constexpr std::size_t kSliceRows = 64;  // of two panels: they stay in the first-level cache

std::size_t whole(std::size_t size, std::size_t unit) { return (size + unit - 1) / unit * unit; }

Pair load_pair(const double* from) noexcept {
  Pair pair;
  std::memcpy(&pair, from, sizeof pair);
  return pair;
}

/// Adds a product to a tile: sums[i][j] += left[i * across + term * along] * right[term][j] over
/// all terms. Rows of `sums` and of `right` are `stride` numbers apart.
void add_product(std::size_t terms, const double* left, std::size_t across, std::size_t along,
                 const double* right, double* sums, std::size_t stride) noexcept {
  Pair tile[kSide][kSide / 2];
  for (std::size_t i = 0; i < kSide; ++i) {
    for (std::size_t j = 0; j < kSide / 2; ++j) tile[i][j] = load_pair(sums + i * stride + 2 * j);
  }
  for (std::size_t term = 0; term < terms; ++term) {
    Pair row[kSide / 2];
    for (std::size_t j = 0; j < kSide / 2; ++j) row[j] = load_pair(right + term * stride + 2 * j);
    for (std::size_t i = 0; i < kSide; ++i) {
      const double factor = left[i * across + term * along];
      for (std::size_t j = 0; j < kSide / 2; ++j) tile[i][j] += factor * row[j];
    }
  }
  for (std::size_t i = 0; i < kSide; ++i) {
    for (std::size_t j = 0; j < kSide / 2; ++j) {
      std::memcpy(sums + i * stride + 2 * j, &tile[i][j], sizeof(Pair));
    }
  }
}

}  // namespace

Orthonormal::Orthonormal(std::size_t count, std::size_t size, std::uint64_t seed,
                         std::uint32_t draw)
    : count_(count),
      size_(size),
      rows_(whole(size, kSliceRows)),
      values_(whole(count, kPanel) * rows_) {
  for (std::size_t vector = 0; vector < count; ++vector) this->draw(vector, seed, draw);
  for (std::size_t index = 0; index * kPanel < count; ++index) {
    for (int time = 0; time < 2; ++time) {
      for (std::size_t before = 0; before < index; ++before) take_out(before, index);
      make_orthonormal(index);
    }
  }
}

void Orthonormal::draw(std::size_t vector, std::uint64_t seed, std::uint32_t draw) {
  double* const to = panel(vector / kPanel) + vector % kPanel;
  for (std::size_t k = 0; k < size_; k += 4) {
    const auto numbers = to_normal_floats(
        philox(seed, {static_cast<std::uint32_t>(RandomUse::orthogonal), draw,
                      static_cast<std::uint32_t>(vector), static_cast<std::uint32_t>(k / 4)}));
    for (std::size_t i = k; i < std::min(k + 4, size_); ++i) to[i * kPanel] = numbers[i - k];
  }
}

/// Takes the vectors of the panel `before` out of those of another.
void Orthonormal::take_out(std::size_t before, std::size_t index) {
  const double* const from = panel(before);
  double* const to = panel(index);
  std::array<double, kPanel * kPanel> along{};  // [vectors of from, of to]
  for (std::size_t row = 0; row < rows_; row += kSliceRows) {
    for (std::size_t i = 0; i < kPanel; i += kSide) {
      for (std::size_t j = 0; j < kPanel; j += kSide) {
        add_product(kSliceRows, from + row * kPanel + i, 1, kPanel, to + row * kPanel + j,
                    along.data() + i * kPanel + j, kPanel);
      }
    }
  }
  for (double& value : along) value = -value;
  for (std::size_t row = 0; row < rows_; row += kSide) {
    for (std::size_t j = 0; j < kPanel; j += kSide) {
      add_product(kPanel, from + row * kPanel, kPanel, 1, along.data() + j, to + row * kPanel + j,
                  kPanel);
    }
  }
}

/// Each vector of a panel loses those before it in the panel and gets the length 1.
void Orthonormal::make_orthonormal(std::size_t index) {
  double* const values = panel(index);
  const std::size_t vectors = std::min(kPanel, count_ - index * kPanel);
  for (std::size_t vector = 0; vector < vectors; ++vector) {
    std::array<double, kPanel> along{};
    for (std::size_t k = 0; k < size_; ++k) {
      const double* const row = values + k * kPanel;
      for (std::size_t i = 0; i < kPanel; ++i) along[i] += row[vector] * row[i];
    }
    const double length = std::sqrt(along[vector]);
    for (std::size_t i = 0; i < kPanel; ++i) along[i] = i > vector ? along[i] / length : 0;
    for (std::size_t k = 0; k < size_; ++k) {
      double* const row = values + k * kPanel;
      const double unit = row[vector] / length;
      for (std::size_t i = 0; i < kPanel; ++i) row[i] -= along[i] * unit;
      row[vector] = unit;
    }
  }
}

}  // namespace quadgate
