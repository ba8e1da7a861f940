#include "io/importers/csv_findings.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <vector>

namespace quadgate {
namespace {

constexpr std::size_t kMostNames = 8;

std::string list_columns(const CsvColumns& columns, const std::vector<std::size_t>& which) {
  return join_names(columns.names_of(which), kMostNames);
}

}  // namespace

void add_findings(const std::filesystem::path& path, const CsvReader& reader,
                  const CsvColumns& columns, const CsvNumbers& numbers, const TimeFormat& times,
                  CsvFindings& findings) {
  const std::string file = path.string();
  const std::string time = columns.time ? columns.names[*columns.time] : "";
  const char delimiter = reader.delimiter();
  std::string found = fmt::format(
      "{}: fields between {}, {}", file,
      delimiter == '\t' ? std::string("tabs") : fmt::format("'{}'", delimiter), numbers.about());
  found += columns.time ? fmt::format(", time '{}' ({})", time, times.name()) : ", no times";
  if (!columns.has_header) found += ", no line of names";
  found += ", features " + list_columns(columns, columns.features);
  if (!columns.left_out.empty()) {
    found += fmt::format("; left out: {} (row numbers)", list_columns(columns, columns.left_out));
  }
  if (reader.comments() > 0) found += fmt::format("; {} lines of comments", reader.comments());
  findings.files.push_back(found);

  const auto add_warning = [&](std::string warning) {
    findings.warnings.push_back(fmt::format("{}: {}", file, warning));
  };
  if (!columns.time_like.empty()) {
    add_warning(
        fmt::format("read as features, though they look like time: {} (--columns chooses features, "
                    "--time tells which is the time)",
                    list_columns(columns, columns.time_like)));
  }
  if (columns.time && times.is_ambiguous()) {
    add_warning(
        fmt::format("column '{}' is not read: its dates may have the day or the month first "
                    "(--date-order tells)",
                    time));
  }
  if (columns.time && times.name() == "text") {
    add_warning(
        fmt::format("column '{}' is not read: it holds no times or numbers (--group makes a "
                    "series of the rows of each name)",
                    time));
  }
}

}  // namespace quadgate
