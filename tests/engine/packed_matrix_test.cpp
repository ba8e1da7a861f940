// Sweeps both uses on every ISA, panels that are whole and the last one that is not, and
// rows of zeros. No tolerance: values are copied.

#include "engine/packed_matrix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "kernels/isa.h"
#include "kernels/product/product.h"
#include "tests/kernels/each_isa.h"
#include "tests/support/numbers.h"

namespace quadgate {
namespace {

using Use = PackedMatrix::Use;

constexpr std::int64_t kRows = 50;
constexpr std::int64_t kColumns = 70;

class PackedMatrixTest : public kernels::EachIsa {
 protected:
  void SetUp() override {
    EachIsa::SetUp();
    kernels::cap_isa(GetParam());
    // Vectors of rows: whole, of one row, of zeros, and one that ends early.
    for (const auto& [first, count] :
         {std::pair{3, lanes()}, {49, 1}, {0, 0}, {20, lanes() / 2}, {7, lanes()}}) {
      for (std::int64_t i = 0; i < lanes(); ++i) listed_.push_back(i < count ? first + i : -1);
    }
    listed_.push_back(11);
  }
  void TearDown() override { kernels::cap_isa(kernels::detected_isa()); }

  std::int64_t lanes() const { return kernels::vector_lanes(GetParam(), kernels::PanelKind::fast); }

  void pack_all(PackedMatrix& matrix) {
    for (std::int64_t p = 0; p < matrix.panels(); ++p) matrix.pack(p);
  }

  /// Element (k, column) of the right side that the matrix stands for.
  float element(Use use, std::int64_t k, std::int64_t column) const {
    const std::int64_t listed = listed_[static_cast<std::size_t>(use == Use::forward ? column : k)];
    const std::int64_t in_row = use == Use::forward ? k : column;
    return listed < 0 ? 0.0F : weights_[static_cast<std::size_t>(listed * kColumns + in_row)];
  }

  /// Checks every float of every panel.
  void expect_panels(Use use, const PackedMatrix& matrix, std::int64_t width) const {
    const auto listed = static_cast<std::int64_t>(listed_.size());
    const std::int64_t across = use == Use::forward ? listed : kColumns;
    EXPECT_EQ(matrix.depth(), use == Use::forward ? kColumns : listed);
    EXPECT_EQ(matrix.panels(), (across + width - 1) / width);
    for (std::int64_t p = 0; p < matrix.panels(); ++p) {
      const std::int64_t first = p * width;
      EXPECT_EQ(matrix.columns_of(p), std::min(width, across - first));
      const std::int64_t padded = (matrix.columns_of(p) + lanes() - 1) / lanes() * lanes();
      for (std::int64_t k = 0; k < matrix.depth(); ++k) {
        for (std::int64_t i = 0; i < padded; ++i) {
          const float expected = i < matrix.columns_of(p) ? element(use, k, first + i) : 0.0F;
          ASSERT_EQ(matrix.panel(p)[k * padded + i], expected)
              << "panel " << p << ", row " << k << ", column " << i;
        }
      }
    }
  }

  testing::Random random_{1};
  std::vector<float> weights_ = random_.values(kRows * kColumns);
  std::vector<std::int64_t> listed_;
};

TEST_P(PackedMatrixTest, HoldsTheListedRowsInPanels) {
  for (const Use use : {Use::forward, Use::backward}) {
    for (const std::int64_t vectors : {1, 3, 4}) {
      PackedMatrix matrix(weights_.data(), {.use = use,
                                            .columns = kColumns,
                                            .rows = listed_,
                                            .width = vectors * lanes(),
                                            .lanes = lanes()});
      pack_all(matrix);
      expect_panels(use, matrix, vectors * lanes());
    }
  }
}

TEST_P(PackedMatrixTest, TakesOverChangedWeights) {
  for (const Use use : {Use::forward, Use::backward}) {
    PackedMatrix matrix(
        weights_.data(),
        {.use = use, .columns = kColumns, .rows = listed_, .width = 4 * lanes(), .lanes = lanes()});
    pack_all(matrix);
    std::ranges::copy(random_.values(weights_.size()), weights_.begin());
    pack_all(matrix);
    expect_panels(use, matrix, 4 * lanes());
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, PackedMatrixTest, kernels::all_isas(), kernels::isa_name);

}  // namespace
}  // namespace quadgate
