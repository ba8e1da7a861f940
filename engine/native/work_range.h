#pragma once

#include <cstdint>
#include <string>

#include "engine/base/phase_times.h"
#include "engine/model/network_options.h"
#include "engine/native/pass.h"
#include "engine/threads/team.h"

namespace quadgate::native {

/// The work of one member of a team: the sequences [first, last) of a batch's packed steps. It
/// counts its time in `times`.
struct WorkRange {
  const Pass& pass;
  std::int64_t first = 0;
  std::int64_t last = 0;
  const Team::Member& member;
  PhaseTimes& times;
  std::int64_t slot = 0;  ///< of a slice: its arrays, see Slices

  /// The first packed row at step t, and the number of rows alive at it. Beyond the ends that is 0.
  std::int64_t row(std::int64_t t) const noexcept { return pass.steps.row(first, t); }
  std::int64_t rows(std::int64_t t) const noexcept {
    const std::int64_t alive = pass.steps.rows_at(t);
    return alive < first ? 0 : (alive < last ? alive : last) - first;
  }

  /// Calls body(first packed row, number of rows) for the rows of the steps [begin, end), in their
  /// order. Rows that follow each other make one call, even if they are of several steps.
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
