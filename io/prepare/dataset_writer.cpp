#include "io/prepare/dataset_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

#include "engine/base/error.h"
#include "engine/model/loss_config.h"
#include "io/data/data_description.h"
#include "io/data/standardization.h"
#include "io/files/finite.h"
#include "io/prepare/dataset_parts.h"
#include "io/prepare/row_splits.h"
#include "io/prepare/split_arrays.h"

namespace quadgate {
namespace {

constexpr std::size_t kMostNamed = 20;  // classes in a message

/// Sequences, the split of each, and what their labels are in the data set.
struct Source {
  const LabelledSequences* data;
  RowSplits splits;
  std::vector<std::int64_t> labels;  // by label of `data`
};

void expect_same_kind(const LabelledSequences& data, const LabelledSequences& train) {
  const auto expect = [&](std::int64_t found, std::int64_t expected, const char* what) {
    if (found == expected) return;
    throw DataError(fmt::format("{}: expected {} {}, as in {}, found {}", data.path.string(),
                                expected, what, train.path.string(), found));
  };
  if (data.task != train.task) {
    throw DataError(fmt::format("{}: expected targets of a {}, as in {}, found {}",
                                data.path.string(), to_string(train.task), train.path.string(),
                                to_string(data.task)));
  }
  if (data.has_targets != train.has_targets) {
    throw DataError(fmt::format("{}: expected targets in all files or in none, as in {}",
                                data.path.string(), train.path.string()));
  }
  expect(data.input_size, train.input_size, "features");
  expect(data.output_size, train.output_size, "values to predict");
}

/// The labels that the class names of `data` have in `train`, or among those of `like`.
std::vector<std::int64_t> match_classes(const LabelledSequences& data,
                                        const LabelledSequences& train,
                                        const DataDescription* like) {
  expect_same_kind(data, train);
  const std::span<const std::string> names(like != nullptr ? like->class_names : train.class_names);
  std::unordered_map<std::string_view, std::int64_t> of_name;
  for (std::size_t i = 0; i < names.size(); ++i) {
    of_name.emplace(names[i], static_cast<std::int64_t>(i));
  }
  constexpr std::int64_t kUnknown = -1;
  std::vector<std::int64_t> labels;
  for (const std::string& name : data.class_names) {
    const auto found = of_name.find(name);
    labels.push_back(found == of_name.end() ? kUnknown : found->second);
  }
  SpooledIntegers::Reader label_reader(data.labels);
  for (std::int64_t i = 0; i < data.labels.size(); ++i) {
    const std::int64_t label = label_reader.next();
    if (label == kIgnoreIndex || labels[static_cast<std::size_t>(label)] != kUnknown) continue;
    throw DataError(
        fmt::format("{}: {} {}: expected classes {}, as in {}, found '{}'", data.path.string(),
                    data.task == Task::tagging ? "step" : "sequence", i,
                    fmt::join(names.first(std::min(names.size(), kMostNamed)), ", "),
                    like != nullptr ? "the data that it shall be like" : train.path.string(),
                    data.class_names[static_cast<std::size_t>(label)]));
  }
  return labels;
}

/// The class of each row, of a classification; labels that do not count are one more.
std::vector<std::uint32_t> classes_of_rows(const LabelledSequences& data) {
  std::vector<std::uint32_t> classes;
  if (data.task != Task::classification) return classes;
  classes.reserve(static_cast<std::size_t>(data.size()));
  SpooledIntegers::Reader labels(data.labels);
  for (std::int64_t row = 0; row < data.size(); ++row) {
    const std::int64_t label = labels.next();
    classes.push_back(
        static_cast<std::uint32_t>(label == kIgnoreIndex ? std::ssize(data.class_names) : label));
  }
  return classes;
}

/// Reads x of `source` and calls `body` with the split of a sequence and some of its steps, the
/// pieces in order. Sequences of other splits than `only`, if any, are skipped.
template <typename Body>
void for_each_piece(const Source& source, std::optional<std::size_t> only, Body body) {
  const LabelledSequences& data = *source.data;
  SpooledFloats::Reader x(data.x);
  SpooledIntegers::Reader lengths(data.lengths);
  std::vector<double> piece;
  const std::int64_t most = piece_size(data.input_size);
  for (std::int64_t row = 0; row < data.size(); ++row) {
    const std::size_t split = source.splits[row];
    std::int64_t left = lengths.next() * data.input_size;
    if (only && split != *only) {
      x.skip(left);
      continue;
    }
    while (left > 0) {
      piece.resize(static_cast<std::size_t>(std::min(left, most)));
      x.read(piece);
      body(split, std::span(piece));
      left -= std::ssize(piece);
    }
  }
}

/// Throws DataError if a piece of x, which begins at row `first`, is not finite.
void expect_finite(const std::filesystem::path& path, std::span<const double> x, const char* unit,
                   std::int64_t first, std::int64_t columns) {
  if (const std::int64_t bad = find_not_finite(x); bad >= 0) {
    throw DataError(fmt::format("{}: {} {}, feature {}: not finite", path.string(), unit,
                                first + bad / columns, bad % columns));
  }
}

Standardization measure(const Source& training, const PrepareOptions& options) {
  const LabelledSequences& data = *training.data;
  ColumnMoments moments(data.input_size);
  WorkMeter meter(options.observer, "measuring", data.path, 16 * data.x.size());
  for_each_piece(training, 0, [&](std::size_t, std::span<const double> piece) {
    moments.add(piece);
    meter.add(piece.size_bytes());
  });
  for_each_piece(training, 0, [&](std::size_t, std::span<const double> piece) {
    moments.add_deviations(piece);
    meter.add(piece.size_bytes());
  });
  return moments.standardization();
}

SequenceCounts sizes_of(std::span<const Source> sources) {
  SequenceCounts sizes;
  for (const Source& source : sources) {
    SpooledIntegers::Reader lengths(source.data->lengths);
    for (std::int64_t row = 0; row < source.data->size(); ++row) {
      sizes.add(source.splits[row], lengths.next());
    }
  }
  return sizes;
}

/// Writes the arrays of the splits side by side.
class SequenceWriter {
 public:
  SequenceWriter(hdf5::FileWriter& file, const SequenceCounts& sizes,
                 const LabelledSequences& train, hdf5::Storage storage) {
    const SequenceKind kind{.task = train.task,
                            .features = train.input_size,
                            .output_size = train.output_size,
                            .has_targets = train.has_targets};
    for (std::size_t i = 0; i < splits_.size(); ++i) {
      if (sizes.rows.at(i) > 0) splits_.at(i).emplace(file, i, sizes, kind, storage);
    }
  }

  void write_targets(const Source& source) {
    const LabelledSequences& data = *source.data;
    SpooledIntegers::Reader labels(data.labels);
    SpooledFloats::Reader targets(data.targets);
    SpooledIntegers::Reader lengths(data.lengths);
    std::vector<double> values(static_cast<std::size_t>(data.output_size));
    std::vector<float> floats(values.size());
    for (std::int64_t row = 0; row < data.size(); ++row) {
      SplitArrays& split = splits_.at(source.splits[row]).value();
      const std::int64_t length = lengths.next();
      split.end_sequence(length);
      if (split.targets) {
        targets.read(values);
        expect_finite(data.path, values, "sequence", row, data.output_size);
        Standardization().apply(values, floats);
        split.targets->append(floats);
        continue;
      }
      if (!split.labels) continue;
      for (std::int64_t left = data.task == Task::tagging ? length : 1; left > 0; --left) {
        const std::int64_t label = labels.next();
        split.labels->append(
            label == kIgnoreIndex ? label : source.labels[static_cast<std::size_t>(label)]);
      }
    }
  }

  void write_steps(const Source& source, const Scale& scale, const DataDescription* like,
                   WorkMeter& meter) {
    const LabelledSequences& data = *source.data;
    std::int64_t step = 0;
    std::vector<float> out;
    ColumnOrder order(data.path, data.feature_names, data.input_size, like);
    for_each_piece(source, {}, [&](std::size_t split, std::span<double> piece) {
      order.apply(piece);
      if (data.fill_with_mean) fill_with_means(piece, scale.fill);
      expect_finite(data.path, piece, "step", step, data.input_size);
      step += std::ssize(piece) / data.input_size;
      out.resize(piece.size());
      scale.standardization.apply(piece, out);
      splits_.at(split)->x->append(out);
      meter.add(std::span(out).size_bytes());
    });
  }

  void finish() {
    for (auto& split : splits_) {
      if (split) split->finish();
    }
  }

 private:
  std::array<std::optional<SplitArrays>, 3> splits_;
};

}  // namespace

PrepareSummary write_sequences(const std::filesystem::path& path, const LabelledSequences& data,
                               const std::optional<LabelledSequences>& valid,
                               const std::optional<LabelledSequences>& test,
                               const PrepareOptions& options) {
  PrepareSummary summary = divide(data.path, data.size(), rows_of(valid), rows_of(test), options);
  std::vector<Source> sources;
  sources.push_back({&data,
                     RowSplits({summary.train, valid ? 0 : summary.valid, test ? 0 : summary.test},
                               options.seed, classes_of_rows(data)),
                     match_classes(data, data, options.like)});
  if (valid) sources.push_back({&*valid, RowSplits(1), match_classes(*valid, data, options.like)});
  if (test) sources.push_back({&*test, RowSplits(2), match_classes(*test, data, options.like)});
  const Scale scale = scale_of(data.path, data.fill_with_mean, options,
                               [&] { return measure(sources.front(), options); });
  DataDescription description = describe(data.feature_names, scale, options);
  if (options.like == nullptr) description.class_names = data.class_names;
  DatasetFile file(path, to_string(data.task), description);
  {
    const SequenceCounts sizes = sizes_of(sources);
    summary = {.train = sizes.rows[0], .valid = sizes.rows[1], .test = sizes.rows[2]};
    SequenceWriter writer(file.file(), sizes, data, storage_of(options));
    for (const Source& source : sources) writer.write_targets(source);
    const std::int64_t steps = sizes.steps[0] + sizes.steps[1] + sizes.steps[2];
    WorkMeter meter(options.observer, "writing", path, 4 * steps * data.input_size);
    for (const Source& source : sources) {
      writer.write_steps(source, scale, options.like, meter);
    }
    writer.finish();
  }
  file.commit();
  return summary;
}

}  // namespace quadgate
