#pragma once

#include <cstdint>
#include <string>

#include "engine/base/phase_times.h"
#include "engine/model/network_options.h"
#include "engine/native/pass.h"
#include "engine/threads/team.h"

namespace quadgate::native {

/// Who runs what of a batch: one member of a team over the sequences [first, last) of its
/// packed steps, and where it counts its time.
struct WorkRange {
  const Pass& pass;
  std::int64_t first;
  std::int64_t last;
  const Team::Member& member;
  PhaseTimes& times;

  /// The first packed row at step t, and the number of rows alive at it; 0 beyond the ends.
  std::int64_t row(std::int64_t t) const noexcept { return pass.steps.offset_at(t) + first; }
  std::int64_t rows(std::int64_t t) const noexcept {
    const std::int64_t alive = pass.steps.rows_at(t);
    return alive < first ? 0 : (alive < last ? alive : last) - first;
  }

  /// Calls body(first packed row, number of rows) for the rows of the steps [begin, end), in their
  /// order: for rows that follow each other, be they of one step or of several, once.
  template <typename Body>
  void for_each_run(std::int64_t begin, std::int64_t end, Body body) const {
    for (std::int64_t t = begin; t < end;) {
      const std::int64_t from = row(t);
      std::int64_t to = from + rows(t);
      for (++t; t < end && row(t) == to; ++t) to += rows(t);
      body(from, to - from);
    }
  }
};

}  // namespace quadgate::native
