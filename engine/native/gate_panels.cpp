#include "engine/native/gate_panels.h"

namespace quadgate::native {

std::vector<std::int64_t> GatePanels::rows_of(const CellKernels::Slots& slots) const {
  std::vector<std::int64_t> rows;
  for (std::int64_t panel = 0; panel < count(); ++panel) {
    for (const std::int64_t gate : slots.gates) {
      for (std::int64_t i = 0; i < cell.units; ++i) {
        rows.push_back(i < units_of(panel) ? gate * hidden_size + first_unit(panel) + i : -1);
      }
    }
  }
  return rows;
}

}  // namespace quadgate::native
