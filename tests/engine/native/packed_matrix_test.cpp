// Sweeps both uses on every ISA in both precisions, panels that are whole and the last one that is
// not, and rows of zeros; in bf16 columns in one and in two parts. No tolerance: values are copied,
// or rounded to the bits of support/bf16_reference.h.

#include "engine/native/packed_matrix.h"
#include "engine/native/cell_kernels.h"
#include "kernels/base/panels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "kernels/base/isa.h"
#include "kernels/matrix/product/product.h"
#include "tests/kernels/each_isa.h"
#include "tests/support/bf16_reference.h"
#include "tests/support/numbers.h"

namespace quadgate::native {
namespace {

using Use = PackedMatrix::Use;

constexpr std::int64_t kRows = 50;
constexpr std::int64_t kColumns = 70;

class PackedMatrixTest : public kernels::EachIsa {
 protected:
  std::int64_t lanes(Precision precision) const {
    return precision == Precision::bf16
               ? 16
               : kernels::vector_lanes(GetParam(), kernels::Arithmetic::floats);
  }

  /// The listed rows in panels of `vectors` vectors.
  PackedMatrix::Shape shape(Use use, Precision precision, std::int64_t parts,
                            std::int64_t vectors) {
    list_rows(lanes(precision));
    return {.use = use,
            .columns = kColumns,
            .parts = parts,
            .rows = listed_,
            .width = vectors * lanes(precision),
            .kernels = kernels::matrix_kernels(
                GetParam(), kernel_arithmetic(precision, Arithmetic::consistent, GetParam()))};
  }

  void pack_all(PackedMatrix& matrix, std::int64_t width) {
    // In two calls, of which the second begins where a panel does.
    const auto rows = static_cast<std::int64_t>(listed_.size());
    const std::int64_t cut = width;
    matrix.pack(cut, rows - cut, weights_.data());
    matrix.pack(0, cut, weights_.data());
  }

  /// Element (k, column) of the right side that the matrix stands for.
  float element(Use use, std::int64_t k, std::int64_t column) const {
    const std::int64_t listed = listed_[static_cast<std::size_t>(use == Use::forward ? column : k)];
    const std::int64_t in_row = use == Use::forward ? k : column;
    return listed < 0 ? 0.0F : weights_[static_cast<std::size_t>(listed * kColumns + in_row)];
  }

  /// Pair `k` of a column, when each part of the depth is `part` long.
  float pair(Use use, std::int64_t k, std::int64_t column, std::int64_t part) const {
    const std::int64_t pairs = (part + 1) / 2;
    const std::int64_t low = k % pairs * 2;
    const std::int64_t first = k / pairs * part;
    return testing::bf16_pair(element(use, first + low, column),
                              low + 1 < part ? element(use, first + low + 1, column) : 0.0F);
  }

  /// Checks every float of every panel.
  void expect_panels(const PackedMatrix& matrix, const PackedMatrix::Shape& shape) const {
    const auto listed = static_cast<std::int64_t>(listed_.size());
    const bool forward = shape.use == Use::forward;
    const bool bf16 = shape.kernels.arithmetic == kernels::Arithmetic::pairs;
    const std::int64_t across = forward ? listed : kColumns;
    const std::int64_t part = forward ? kColumns / shape.parts : listed;
    ASSERT_EQ(matrix.depth(), (forward ? shape.parts : 1) * (bf16 ? (part + 1) / 2 : part));
    ASSERT_EQ(matrix.panels(), (across + shape.width - 1) / shape.width);
    for (std::int64_t p = 0; p < matrix.panels(); ++p) {
      const std::int64_t first = p * shape.width;
      const std::int64_t columns = matrix.columns_of(p);
      ASSERT_EQ(columns, std::min(shape.width, across - first));
      const std::int64_t vector = shape.kernels.lanes;
      const std::int64_t padded = (columns + vector - 1) / vector * vector;
      for (std::int64_t k = 0; k < matrix.depth(); ++k) {
        for (std::int64_t i = 0; i < padded; ++i) {
          const float expected = i >= columns ? 0.0F
                                 : bf16       ? pair(shape.use, k, first + i, part)
                                              : element(shape.use, k, first + i);
          ASSERT_EQ(std::bit_cast<std::uint32_t>(matrix.panel(p)[k * padded + i]),
                    std::bit_cast<std::uint32_t>(expected))
              << "panel " << p << ", row " << k << ", column " << i;
        }
      }
    }
  }

  testing::Random random_{1};
  std::vector<float> weights_ = random_.values(kRows * kColumns);

 private:
  /// Lists the rows of the matrix for vectors of so many lanes.
  void list_rows(std::int64_t lanes) {
    listed_.clear();
    // Vectors of rows: whole, of one row, of zeros, and one that ends early.
    for (const auto& [first, count] :
         {std::pair{3, lanes}, {49, 1}, {0, 0}, {20, lanes / 2}, {7, lanes}}) {
      for (std::int64_t i = 0; i < lanes; ++i) listed_.push_back(i < count ? first + i : -1);
    }
    listed_.push_back(11);
  }
  std::vector<std::int64_t> listed_;
};

TEST_P(PackedMatrixTest, HoldsTheListedRowsInPanels) {
  for (const Use use : {Use::forward, Use::backward}) {
    for (const Precision precision : {Precision::f32, Precision::bf16}) {
      for (const std::int64_t parts : {1, 2}) {
        for (const std::int64_t vectors : {1, 3, 4}) {
          const auto planned = shape(use, precision, parts, vectors);
          PackedMatrix matrix(planned);
          pack_all(matrix, planned.width);
          expect_panels(matrix, planned);
          ASSERT_FALSE(HasFailure())
              << to_string(precision) << ", " << parts << " parts, " << vectors << " vectors";
        }
      }
    }
  }
}

TEST_P(PackedMatrixTest, TakesOverChangedWeights) {
  for (const Use use : {Use::forward, Use::backward}) {
    for (const Precision precision : {Precision::f32, Precision::bf16}) {
      const auto planned = shape(use, precision, 1, 4);
      PackedMatrix matrix(planned);
      pack_all(matrix, planned.width);
      std::ranges::copy(random_.values(weights_.size()), weights_.begin());
      pack_all(matrix, planned.width);
      expect_panels(matrix, planned);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, PackedMatrixTest, kernels::all_isas(), kernels::isa_name);

}  // namespace
}  // namespace quadgate::native
