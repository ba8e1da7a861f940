#include "io/dataset_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "engine/error.h"
#include "io/data_description.h"
#include "io/dataset_parts.h"
#include "io/finite.h"
#include "io/hdf5.h"
#include "io/replace_file.h"

namespace quadgate {
namespace {

struct Scale {
  std::vector<float> mean;
  std::vector<float> std;
};

/// Mean and population standard deviation of each column of x [rows, columns], in double; a
/// constant column gets std 1.
Scale measure(std::span<const float> x, std::size_t columns) {
  std::vector<double> sum(columns);
  std::vector<double> squares(columns);
  const std::size_t count = x.size() / columns;
  const auto rows = static_cast<double>(count);
  for (std::size_t i = 0; i < x.size(); ++i) sum[i % columns] += x[i];
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double deviation = x[i] - sum[i % columns] / rows;
    squares[i % columns] += deviation * deviation;
  }
  Scale scale;
  for (std::size_t column = 0; column < columns; ++column) {
    scale.mean.push_back(static_cast<float>(sum[column] / rows));
    const auto std = static_cast<float>(std::sqrt(squares[column] / rows));
    scale.std.push_back(std > 0 ? std : 1.0F);
  }
  return scale;
}

void standardize(std::span<float> x, const Scale& scale) {
  const std::size_t columns = scale.mean.size();
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = (x[i] - scale.mean[i % columns]) / scale.std[i % columns];
  }
}

void check_finite(const std::filesystem::path& path, std::span<const float> x, const char* unit,
                  std::int64_t columns) {
  if (const std::int64_t bad = find_not_finite(x); bad >= 0) {
    throw DataError(fmt::format("{}: {} {}, feature {}: not finite", path.string(), unit,
                                bad / columns, bad % columns));
  }
}

/// The chosen sequences, in that order.
LabelledSequences select(const LabelledSequences& data, std::span<const std::int64_t> rows) {
  LabelledSequences chosen{.path = data.path,
                           .input_size = data.input_size,
                           .class_names = data.class_names,
                           .x = {},
                           .offsets = {0},
                           .labels = {}};
  for (const std::int64_t row : rows) {
    const auto i = static_cast<std::size_t>(row);
    const std::int64_t begin = data.offsets[i];
    const std::int64_t end = data.offsets[i + 1];
    chosen.x.insert(chosen.x.end(), data.x.begin() + begin * data.input_size,
                    data.x.begin() + end * data.input_size);
    chosen.offsets.push_back(chosen.offsets.back() + end - begin);
    chosen.labels.push_back(data.labels[i]);
  }
  return chosen;
}

/// Cuts validation and test rows, drawn at random, off `data`; rows keep their order.
std::array<LabelledSequences, 3> divide_at_random(const LabelledSequences& data,
                                                  const PrepareSummary& sizes) {
  const auto rows = draw_parts({sizes.train, sizes.valid, sizes.test});
  return {select(data, rows[0]), select(data, rows[1]), select(data, rows[2])};
}

/// `test` with the labels that its class names have in `train`.
LabelledSequences match_classes(LabelledSequences test, const LabelledSequences& train) {
  if (test.input_size != train.input_size) {
    throw InvalidArgument(fmt::format("{}: expected {} features, as in {}, found {}",
                                      test.path.string(), train.input_size, train.path.string(),
                                      test.input_size));
  }
  std::vector<std::int64_t> labels;
  for (const std::string& name : test.class_names) {
    labels.push_back(std::ranges::find(train.class_names, name) - train.class_names.begin());
  }
  const auto classes = static_cast<std::int64_t>(train.class_names.size());
  for (std::int64_t& label : test.labels) {
    const auto old = static_cast<std::size_t>(label);
    label = labels[old];
    if (label == classes) {
      throw InvalidArgument(fmt::format("{}: expected classes {}, as in {}, found '{}'",
                                        test.path.string(), fmt::join(train.class_names, ", "),
                                        train.path.string(), test.class_names[old]));
    }
  }
  return test;
}

void write_split(hdf5::File& file, const std::string& name, const LabelledSequences& part,
                 std::int64_t fixed_len) {
  file.create_group(name);
  if (fixed_len > 0) {
    file.write(name + "/x", std::array{part.size(), fixed_len, part.input_size}, part.x);
  } else {
    file.write(name + "/x", std::array{part.offsets.back(), part.input_size}, part.x);
    file.write(name + "/offsets", std::array{part.size() + 1}, part.offsets);
  }
  file.write(name + "/y", std::array{part.size()}, part.labels);
}

/// Steps of every sequence of the parts, or 0 if they differ.
std::int64_t common_length(std::span<const LabelledSequences> parts) {
  const std::int64_t length = parts[0].offsets[1];
  for (const LabelledSequences& part : parts) {
    for (std::size_t i = 0; i + 1 < part.offsets.size(); ++i) {
      if (part.offsets[i + 1] - part.offsets[i] != length) return 0;
    }
  }
  return length;
}

}  // namespace

PrepareSummary write_classification(const std::filesystem::path& path, LabelledSequences data,
                                    std::optional<LabelledSequences> test,
                                    const PrepareOptions& options) {
  const PrepareSummary sizes =
      divide(data.size(), test ? std::optional(test->size()) : std::nullopt, options);
  check_finite(data.path, data.x, "step", data.input_size);
  std::array<LabelledSequences, 3> parts;
  if (options.valid_fraction == 0 && options.test_fraction == 0) {
    parts[0] = std::move(data);  // nothing to draw: no copy
  } else {
    parts = divide_at_random(data, {sizes.train, sizes.valid, test ? 0 : sizes.test});
    data = {};
  }
  if (test) {
    check_finite(test->path, test->x, "step", test->input_size);
    parts[2] = match_classes(std::move(*test), parts[0]);
  }

  DataDescription description;
  description.class_names = parts[0].class_names;
  if (options.standardize) {
    const Scale scale = measure(parts[0].x, static_cast<std::size_t>(parts[0].input_size));
    for (LabelledSequences& part : parts) standardize(part.x, scale);
    description.mean = scale.mean;
    description.std = scale.std;
  }
  hdf5::File file = create_dataset(path, "classification", description);
  const std::int64_t fixed_len = common_length(parts);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].size() > 0) write_split(file, kSplitNames.at(i), parts[i], fixed_len);
    parts[i] = {};  // it is in the file's image now
  }
  replace_file(path, file.image());
  return sizes;
}

PrepareSummary write_forecast(const std::filesystem::path& path, Series data,
                              const std::optional<Series>& test, const PrepareOptions& options) {
  if (test && test->feature_names != data.feature_names) {
    throw InvalidArgument(fmt::format("{}: expected columns {}, as in {}, found {}",
                                      test->path.string(), fmt::join(data.feature_names, ", "),
                                      data.path.string(), fmt::join(test->feature_names, ", ")));
  }
  const PrepareSummary sizes =
      divide(data.size(), test ? std::optional(test->size()) : std::nullopt, options);
  const std::size_t columns = data.feature_names.size();
  check_finite(data.path, data.x, "row", static_cast<std::int64_t>(columns));
  if (test) {
    check_finite(test->path, test->x, "row", static_cast<std::int64_t>(columns));
    data.x.insert(data.x.end(), test->x.begin(), test->x.end());
  }

  DataDescription description;
  description.feature_names = data.feature_names;
  if (options.standardize) {
    const auto training = static_cast<std::size_t>(sizes.train) * columns;
    const Scale scale = measure(std::span(data.x).first(training), columns);
    standardize(data.x, scale);
    description.mean = scale.mean;
    description.std = scale.std;
  }
  hdf5::File file = create_dataset(path, "forecast", description);
  std::int64_t begin = 0;
  std::size_t part = 0;
  for (const std::int64_t size : {sizes.train, sizes.valid, sizes.test}) {
    const std::string name = kSplitNames.at(part++);
    if (size == 0) continue;
    file.create_group(name);
    if (begin == 0) {
      file.write(name + "/x", std::array{data.size(), static_cast<std::int64_t>(columns)}, data.x);
    } else {
      file.link("train/x", name + "/x");
    }
    file.write_int(name, "begin", begin);
    file.write_int(name, "end", begin + size);
    begin += size;
  }
  replace_file(path, file.image());
  return sizes;
}

}  // namespace quadgate
