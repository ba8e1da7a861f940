#include "io/prepare/dataset_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/base/error.h"
#include "io/data/covariates.h"
#include "io/data/dataset.h"
#include "io/data/feature_view.h"
#include "io/hdf5/attributes.h"
#include "io/hdf5/formats.h"

namespace quadgate {
namespace {

std::int64_t version_of(const DataDescription& description, std::int64_t least) {
  if (!description.series_scales.empty()) return kSeriesScalesVersion;
  if (has_covariates(description)) return kCovariatesVersion;
  return description.mean.empty() ? least : kStandardizedVersion;
}

}  // namespace

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

ColumnOrder::ColumnOrder(const std::filesystem::path& input, const std::vector<std::string>& names,
                         std::int64_t columns, const DataDescription* like)
    : row_(static_cast<std::size_t>(columns)) {
  if (like == nullptr) return;
  std::vector<std::string> found = names;
  for (std::int64_t i = 0; names.empty() && i < columns; ++i) found.push_back(std::to_string(i));
  const bool is_nameless = like->feature_names.empty();
  if (is_nameless && (like->mean.empty() || std::cmp_equal(like->mean.size(), columns))) return;
  const MatchedNames matched = match_names(like->feature_names, found);
  if (!matched.problem.empty() || is_nameless) {
    throw DataError(fmt::format(
        "{}: features: expected those of the data that it shall be like: {}", input.string(),
        is_nameless ? fmt::format("{}, found {}", like->mean.size(), columns) : matched.problem));
  }
  if (!std::ranges::is_sorted(matched.columns)) columns_ = matched.columns;
}

void ColumnOrder::apply(std::span<double> x) {
  if (columns_.empty()) return;
  for (; !x.empty(); x = x.subspan(row_.size())) {
    for (std::size_t i = 0; i < row_.size(); ++i) row_[i] = x[columns_[i]];
    std::ranges::copy(row_, x.begin());
  }
}

Scale scale_like(const std::filesystem::path& input, bool fills_with_mean,
                 const DataDescription& like) {
  Scale scale{.standardization = {.mean = like.mean, .std = like.std}};
  if (!fills_with_mean) return scale;
  scale.fill = like.recipe && !like.recipe->fill.empty() ? like.recipe->fill : like.mean;
  if (scale.fill.empty()) {
    throw InvalidArgument(
        fmt::format("{}: --missing mean: expected the means of the rows that were trained on, but "
                    "the data that it shall be like do not tell them (--missing drop or forward "
                    "does without)",
                    input.string()));
  }
  return scale;
}

DataDescription describe(const std::vector<std::string>& feature_names, const Scale& scale,
                         const PrepareOptions& options) {
  DataDescription description;
  if (options.like != nullptr) {
    description.feature_names = options.like->feature_names;
    description.class_names = options.like->class_names;
    description.token_names = options.like->token_names;
    description.token_level = options.like->token_level;
  }
  if (description.feature_names.empty()) description.feature_names = feature_names;
  description.mean = scale.standardization.mean;
  description.std = scale.standardization.std;
  description.series_scales = scale.of_series;
  description.recipe = options.recipe;
  if (description.recipe) description.recipe->fill = scale.fill;
  return description;
}

DatasetFile::DatasetFile(const std::filesystem::path& path, const char* task,
                         const DataDescription& description, std::int64_t least_version)
    : temporary_(path), file_(hdf5::FileWriter::create_at(temporary_.temporary_path(), path)) {
  file_.write_string("", "format", kDatasetFormat);
  file_.write_int("", "format_version", version_of(description, least_version));
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
