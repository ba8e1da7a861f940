#include "io/dataset_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/error.h"
#include "engine/random.h"
#include "io/hdf5_attributes.h"

namespace quadgate {

PrepareSummary divide(std::int64_t total, std::optional<std::int64_t> test_rows,
                      const PrepareOptions& options) {
  const auto rows_of = [&](const char* field, double fraction) {
    if (!(fraction >= 0 && fraction < 1)) {
      throw InvalidArgument(
          fmt::format("{}: expected at least 0 and below 1, found {}", field, fraction));
    }
    const auto rows =
        static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(total)));
    if (fraction > 0 && rows == 0) {
      throw InvalidArgument(
          fmt::format("{}: {} of {} rows leaves that split empty", field, fraction, total));
    }
    return rows;
  };
  if (test_rows && options.test_fraction != 0) {
    throw InvalidArgument(fmt::format("test_fraction: expected none beside a test file, found {}",
                                      options.test_fraction));
  }
  PrepareSummary summary;
  summary.valid = rows_of("valid_fraction", options.valid_fraction);
  summary.test = rows_of("test_fraction", options.test_fraction);
  summary.train = total - summary.valid - summary.test;
  if (summary.train < 1) {
    throw InvalidArgument(
        fmt::format("valid_fraction {} and test_fraction {}: no training row is left, of {}",
                    options.valid_fraction, options.test_fraction, total));
  }
  if (test_rows) summary.test = *test_rows;
  return summary;
}

std::vector<std::int64_t> all_rows(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

std::array<std::vector<std::int64_t>, 3> draw_parts(const std::array<std::int64_t, 3>& sizes) {
  constexpr std::uint64_t kSplitSeed = 1;
  auto rows = all_rows(std::reduce(sizes.begin(), sizes.end()));
  const bool drawn = sizes[1] > 0 || sizes[2] > 0;
  if (drawn) shuffle(rows, kSplitSeed, RandomUse::split, 0);
  std::array<std::vector<std::int64_t>, 3> parts;
  auto begin = rows.begin();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].assign(begin, begin + sizes[i]);
    std::ranges::sort(parts[i]);
    begin += sizes[i];
  }
  return parts;
}

hdf5::File create_dataset(const std::filesystem::path& path, const char* task,
                          const DataDescription& description) {
  hdf5::File file = hdf5::File::create(path);
  file.write_string("", "format", "quadgate-dataset");
  file.write_int("", "format_version", 1);
  file.write_string("", "task", task);
  hdf5::ObjectWriter root(file, "");
  write_data_description(root, description);
  return file;
}

}  // namespace quadgate
