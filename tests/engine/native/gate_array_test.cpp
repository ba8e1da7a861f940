#include "engine/native/gate_array.h"

#include <gtest/gtest.h>

namespace quadgate::native {
namespace {

CellKernels kernels_of(Precision precision) {
  const kernels::Isa isa = kernels::detected_isa();
  return cell_kernels(Cell::gru, kernel_arithmetic(precision, Arithmetic::fastest, isa), isa);
}

GateArray array_of(Precision precision) {
  const kernels::Isa isa = kernels::detected_isa();
  return {{kernels_of(precision), 40},
          {.capacity = 30, .batch_size = 6, .precision = precision, .isa = isa}};
}

class GateArrayTest : public ::testing::TestWithParam<Precision> {};

TEST_P(GateArrayTest, TheLeftSideOfAProductWalksOverTheSlotsOfAllPanels) {
  const GateArray array = array_of(GetParam());
  const CellKernels cell = kernels_of(GetParam());
  const std::int64_t floats = cell.units / (GetParam() == Precision::bf16 ? 2 : 1);
  const kernels::Lhs left = array.d_gates(cell.hh, 3);
  for (const std::int64_t panel : {0, 1}) {
    for (const std::int64_t row : {0, 5}) {
      EXPECT_EQ(left.data + row * left.row_stride + panel * left.run_stride,
                array.gates(panel, 3 + row) + floats);  // slot 1 is the first that h goes into
    }
  }
  EXPECT_EQ(left.run, 3 * floats);
}

TEST_P(GateArrayTest, PanelsAndRowsDoNotOverlap) {
  const GateArray array = array_of(GetParam());
  const std::int64_t row = array.gates(0, 1) - array.gates(0, 0);
  EXPECT_GE(array.gates(1, 0) - array.gates(0, 0), 30 * row);
}

INSTANTIATE_TEST_SUITE_P(Precisions, GateArrayTest,
                         ::testing::Values(Precision::f32, Precision::bf16));

TEST(GateArrayInputsTest, LieInTheGatesThemselvesUnlessThoseArePairs) {
  GateArray floats = array_of(Precision::f32);
  EXPECT_EQ(floats.inputs(1, 7, 2), floats.gates(1, 7));
  GateArray pairs = array_of(Precision::bf16);
  EXPECT_EQ(pairs.inputs(1, 7, 2), pairs.inputs(1, 8, 2));
  EXPECT_EQ(pairs.inputs(0, 0, 2) - pairs.inputs(0, 0, 0), 2 * 64);
}

}  // namespace
}  // namespace quadgate::native
