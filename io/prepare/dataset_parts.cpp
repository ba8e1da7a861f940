#include "io/prepare/dataset_parts.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/base/error.h"
#include "io/data/dataset.h"
#include "io/hdf5/attributes.h"
#include "io/hdf5/formats.h"

namespace quadgate {

PrepareSummary divide(const std::filesystem::path& path, std::int64_t total,
                      std::optional<std::int64_t> valid_rows, std::optional<std::int64_t> test_rows,
                      const PrepareOptions& options) {
  const auto rows_of = [&](const char* option, double fraction) {
    if (!(fraction >= 0 && fraction < 1)) {
      throw InvalidArgument(
          fmt::format("{}: expected at least 0 and below 1, found {}", option, fraction));
    }
    const auto rows =
        static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(total)));
    if (fraction > 0 && rows == 0) {
      throw InvalidArgument(fmt::format("{}: {} {} leaves that split empty, of {} rows",
                                        path.string(), option, fraction, total));
    }
    return rows;
  };
  const auto expect_none = [](const char* option, const char* kind, double fraction) {
    if (fraction == 0) return;
    throw InvalidArgument(
        fmt::format("{}: expected none beside a {} file, found {}", option, kind, fraction));
  };
  if (valid_rows) expect_none("--valid-fraction", "validation", options.valid_fraction);
  if (test_rows) expect_none("--test-fraction", "test", options.test_fraction);
  PrepareSummary summary;
  summary.valid = rows_of("--valid-fraction", options.valid_fraction);
  summary.test = rows_of("--test-fraction", options.test_fraction);
  summary.train = total - summary.valid - summary.test;
  if (summary.train < 1) {
    throw InvalidArgument(fmt::format(
        "{}: --valid-fraction {} and --test-fraction {}: no training row is left, of {}",
        path.string(), options.valid_fraction, options.test_fraction, total));
  }
  if (valid_rows) summary.valid = *valid_rows;
  if (test_rows) summary.test = *test_rows;
  return summary;
}

std::int64_t piece_size(std::int64_t columns) {
  constexpr std::int64_t kMost = 1 << 14;
  return std::max<std::int64_t>(kMost / columns, 1) * columns;
}

void fill_with_means(std::span<double> x, std::span<const double> means) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i])) x[i] = means[i % means.size()];
  }
}

DatasetFile::DatasetFile(const std::filesystem::path& path, const char* task,
                         const DataDescription& description, std::int64_t least_version)
    : temporary_(path), file_(hdf5::FileWriter::create_at(temporary_.temporary_path(), path)) {
  file_.write_string("", "format", kDatasetFormat);
  file_.write_int("", "format_version",
                  description.mean.empty() ? least_version : kStandardizedVersion);
  file_.write_string("", "task", task);
  hdf5::ObjectWriter root(file_, "");
  write_data_description(root, description);
}

DatasetFile::~DatasetFile() { file_.abandon(); }

void DatasetFile::commit() {
  file_.close();
  temporary_.sync_and_close();
  temporary_.rename();
}

}  // namespace quadgate
