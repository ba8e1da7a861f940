#include "engine/native/gate_panels.h"

#include <gtest/gtest.h>

#include <vector>

namespace quadgate::native {
namespace {

GatePanels panels_of(Cell cell, std::int64_t hidden_size) {
  return {cell_kernels(cell, kernels::Arithmetic::pairs, kernels::detected_isa()), hidden_size};
}

TEST(GatePanelsTest, TheLastPanelHasTheUnitsThatAreLeft) {
  const GatePanels panels = panels_of(Cell::lstm, 40);  // 16 a panel
  EXPECT_EQ(panels.count(), 3);
  EXPECT_EQ(panels.units_of(0), 16);
  EXPECT_EQ(panels.first_unit(2), 32);
  EXPECT_EQ(panels.units_of(2), 8);
  EXPECT_EQ(panels_of(Cell::rnn_tanh, 64).count(), 1);
}

TEST(GatePanelsTest, ListsPyTorchsRowOfEachUnitOfEachSlot) {
  const GatePanels panels = panels_of(Cell::gru, 17);  // two panels; the slots of h are r z n
  const std::vector<std::int64_t> rows = panels.rows_of(panels.cell.hh);
  ASSERT_EQ(rows.size(), 2U * 3 * 16);
  EXPECT_EQ(rows[0], 0);              // r of unit 0
  EXPECT_EQ(rows[16 + 2], 17 + 2);    // z of unit 2
  EXPECT_EQ(rows[48 + 32], 34 + 16);  // n of unit 16
  EXPECT_EQ(rows[48 + 1], -1);        // unit 17
}

}  // namespace
}  // namespace quadgate::native
