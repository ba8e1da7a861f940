#include "apps/prepare/prepare_notes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/common/warn.h"
#include "io/importers/npz.h"

namespace quadgate::apps {
namespace {

/// Adds a line with a number, if that is not 0.
void add(Lines& lines, const char* what, std::int64_t count, const std::string& more = {}) {
  if (count > 0) lines.push_back(fmt::format("{}: {}{}", what, count, more));
}

void add_filled(Lines& lines, std::int64_t values, const std::string& policy) {
  add(lines, "missing values", values, fmt::format(" filled ({})", policy));
}

}  // namespace

Lines notes_on(const Series& series, const std::string& policy) {
  Lines lines;
  add_filled(lines, series.filled_values, policy);
  add(lines, "rows left out since values are missing", series.dropped_rows);
  add(lines, "rows whose time is before that of the row before", series.steps_back);
  add(lines, "rows at the time of the row before", series.same_times);
  add(lines, "gaps, steps in time that are longer than the usual", series.time_gaps);
  return lines;
}

Lines notes_on(const LabelledSequences& data, const std::string& policy) {
  Lines lines;
  add_filled(lines, data.filled_values, policy);
  add(lines, "steps left out since values are missing", data.dropped_steps);
  add(lines, "sequences left out since values are missing", data.dropped_sequences);
  if (data.has_times) lines.emplace_back("times of steps are left out: each step is one");
  return lines;
}

void warn_of_unread(const NpzFile& file, bool is_of_series, bool is_divided) {
  std::vector<std::string> suffixes;
  if (is_divided) suffixes = {"_train", file.has("x_valid") ? "_valid" : "_val", "_test"};
  if (!is_divided && !is_of_series) suffixes = {""};
  const auto unread = unread_arrays(file, suffixes);
  if (unread.empty()) return;
  warn(fmt::format("{}: not read: array{} '{}'", file.path().string(),
                   unread.size() == 1 ? "" : "s", fmt::join(unread, "', '")));
}

}  // namespace quadgate::apps
