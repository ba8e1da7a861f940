#include "apps/prepare/prepare_notes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "apps/common/warn.h"
#include "io/importers/npz.h"

namespace quadgate::apps {
namespace {

std::string note_on_filled(std::int64_t values, const std::string& policy) {
  return values > 0 ? fmt::format("missing values: {} filled ({})\n", values, policy) : "";
}

}  // namespace

std::string note_on(const Series& series, const std::string& policy) {
  std::string note;
  if (series.parts.size() > 1) note += fmt::format("series: {}\n", series.parts.size());
  note += note_on_filled(series.filled_values, policy);
  if (series.dropped_rows > 0) {
    note += fmt::format("rows left out since values are missing: {}\n", series.dropped_rows);
  }
  if (series.steps_back > 0) {
    note +=
        fmt::format("rows whose time is before that of the row before: {}\n", series.steps_back);
  }
  if (series.same_times > 0) {
    note += fmt::format("rows at the time of the row before: {}\n", series.same_times);
  }
  if (series.time_gaps > 0) {
    note +=
        fmt::format("gaps, steps in time that are longer than the usual: {}\n", series.time_gaps);
  }
  return note;
}

std::string note_on(const LabelledSequences& data, const std::string& policy) {
  std::string note = note_on_filled(data.filled_values, policy);
  if (data.dropped_steps > 0) {
    note += fmt::format("steps left out since values are missing: {}\n", data.dropped_steps);
  }
  if (data.dropped_sequences > 0) {
    note +=
        fmt::format("sequences left out since values are missing: {}\n", data.dropped_sequences);
  }
  if (data.has_times) note += "times of steps are left out: each step is one\n";
  return note.empty() ? "" : fmt::format("{}:\n{}", data.path.string(), note);
}

void warn_of_unread(const NpzFile& file, bool is_divided) {
  const bool has_valid = file.has("x_valid");
  const std::vector<std::string> of_splits{"_train", has_valid ? "_valid" : "_val", "_test"};
  const auto unread = unread_arrays(file, is_divided ? of_splits : std::vector<std::string>{""});
  if (unread.empty()) return;
  warn(fmt::format("{}: not read: array{} '{}'", file.path().string(),
                   unread.size() == 1 ? "" : "s", fmt::join(unread, "', '")));
}

}  // namespace quadgate::apps
