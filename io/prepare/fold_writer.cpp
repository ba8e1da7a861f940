#include "io/prepare/fold_writer.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "io/data/standardization.h"
#include "io/data/vocabulary.h"
#include "io/hdf5/array_writer.h"
#include "io/prepare/dataset_parts.h"
#include "io/prepare/dataset_rows.h"

namespace quadgate {
namespace {

using Counts = std::array<std::int64_t, 3>;

/// Values in the units of the source.
class SourceValues {
 public:
  explicit SourceValues(const DataDescription& description) : description_(description) {}

  std::span<const double> of(std::span<const float> x) {
    const std::vector<double>& mean = description_.mean;
    values_.assign(x.begin(), x.end());
    for (std::size_t i = 0; i < x.size() && !mean.empty(); ++i) {
      const std::size_t column = i % mean.size();
      values_[i] = values_[i] * description_.std[column] + mean[column];
    }
    return values_;
  }

 private:
  const DataDescription& description_;
  std::vector<double> values_;
};

/// Mean and std of the rows of train.
Standardization measure_fold(Dataset& data, std::span<const std::uint8_t> split_of) {
  if (data.description().mean.empty()) return {};
  SourceValues values(data.description());
  ColumnMoments moments(data.input_size());
  const auto visit = [&](auto add) {
    for_each_row(data, [&](const SequenceRow& row) {
      if (split_of[static_cast<std::size_t>(row.number)] == 0) add(values.of(row.x));
    });
  };
  visit([&](std::span<const double> x) { moments.add(x); });
  visit([&](std::span<const double> x) { moments.add_deviations(x); });
  return moments.standardization();
}

/// What becomes of the tokens of a data set.
struct FoldVocabulary {
  std::vector<std::string> names{};
  std::vector<std::int32_t> tokens{};  // by token; none: they stay as they are
};

/// The words that are frequent in the rows of train, where the vocabulary was made of such words.
FoldVocabulary fold_vocabulary(Dataset& data, std::span<const std::uint8_t> split_of) {
  const DataDescription& description = data.description();
  if (!description.recipe || description.recipe->min_count == 0) {
    return {.names = description.token_names};
  }
  WordList words;
  std::vector<std::int32_t> numbers;
  for (const std::string& name : description.token_names) numbers.push_back(words.number(name));
  std::vector<std::int64_t> counts(static_cast<std::size_t>(words.size()));
  for_each_row(data, [&](const SequenceRow& row) {
    if (split_of[static_cast<std::size_t>(row.number)] != 0) return;
    for (const std::int32_t token : row.tokens) {
      ++counts[static_cast<std::size_t>(numbers[static_cast<std::size_t>(token)])];
    }
  });
  const Vocabulary vocabulary(words, counts, description.recipe->min_count);
  for (std::int32_t& number : numbers) number = vocabulary.token_of(number);
  return {vocabulary.names(), numbers};
}

/// How many sequences and steps the splits have.
struct FoldSizes {
  Counts rows{};
  Counts steps{};
  std::int64_t fixed_len = -1;  // steps of every sequence; 0 if they differ
};

FoldSizes sizes_of(Dataset& data, std::span<const std::uint8_t> split_of) {
  FoldSizes sizes;
  std::size_t number = 0;
  for (const std::string& name : data.split_names()) {
    const Split& split = data.split(name);
    for (std::int64_t row = 0; row < split.size(); ++row) {
      const std::int64_t length = split.length(row);
      const std::uint8_t to = split_of[number++];
      ++sizes.rows.at(to);
      sizes.steps.at(to) += length;
      if (sizes.fixed_len < 0) sizes.fixed_len = length;
      if (length != sizes.fixed_len) sizes.fixed_len = 0;
    }
  }
  return sizes;
}

/// Writes the arrays of a split.
class FoldSplitWriter {
 public:
  FoldSplitWriter(hdf5::FileWriter& file, const Dataset& data, const FoldSizes& sizes,
                  std::size_t split) {
    constexpr auto kStorage = hdf5::Storage::contiguous;
    const std::string name = kSplitNames.at(split);
    const std::int64_t rows = sizes.rows.at(split);
    const std::int64_t steps = sizes.steps.at(split);
    const bool is_fixed = sizes.fixed_len > 0;
    file.create_group(name);
    std::vector<std::int64_t> shape =
        is_fixed ? std::vector{rows, sizes.fixed_len} : std::vector{steps};
    if (data.vocabulary_size() > 0) {
      tokens_.emplace(file, name + "/x", shape, kStorage);
    } else {
      shape.push_back(data.input_size());
      x_.emplace(file, name + "/x", shape, kStorage);
    }
    if (!is_fixed) {
      offsets_.emplace(file, name + "/offsets", std::vector{rows + 1}, kStorage);
      offsets_->append(0);
    }
    if (data.task() == Task::regression) {
      targets_.emplace(file, name + "/y", std::vector{rows, data.output_size()}, kStorage);
    } else {
      const bool is_a_step = data.task() == Task::tagging;
      labels_.emplace(file, name + "/y", std::vector{is_a_step ? steps : rows}, kStorage);
    }
  }

  /// `x` and `tokens` are what becomes of the row's.
  void add(const SequenceRow& row, std::span<const float> x, std::span<const std::int32_t> tokens) {
    if (x_) x_->append(x);
    if (tokens_) tokens_->append(tokens);
    steps_ += row.length;
    if (offsets_) offsets_->append(steps_);
    if (labels_) labels_->append(row.labels);
    if (targets_) targets_->append(row.targets);
  }

  void finish() {
    if (x_) x_->finish();
    if (tokens_) tokens_->finish();
    if (offsets_) offsets_->finish();
    if (labels_) labels_->finish();
    if (targets_) targets_->finish();
  }

 private:
  std::optional<hdf5::ArrayWriter<float>> x_;  // or
  std::optional<hdf5::ArrayWriter<std::int32_t>> tokens_;
  std::optional<hdf5::ArrayWriter<std::int64_t>> offsets_;
  std::optional<hdf5::ArrayWriter<std::int64_t>> labels_;  // or
  std::optional<hdf5::ArrayWriter<float>> targets_;
  std::int64_t steps_ = 0;
};

void write_rows(hdf5::FileWriter& file, Dataset& data, std::span<const std::uint8_t> split_of,
                const FoldSizes& sizes, const Standardization& scale,
                const FoldVocabulary& vocabulary) {
  std::array<std::optional<FoldSplitWriter>, 3> splits;
  for (std::size_t split = 0; split < splits.size(); ++split) {
    if (sizes.rows.at(split) > 0) splits.at(split).emplace(file, data, sizes, split);
  }
  SourceValues values(data.description());
  std::vector<float> x;
  std::vector<std::int32_t> tokens;
  for_each_row(data, [&](const SequenceRow& row) {
    x.resize(row.x.size());
    scale.apply(values.of(row.x), x);
    tokens.assign(row.tokens.begin(), row.tokens.end());
    if (!vocabulary.tokens.empty()) {
      for (std::int32_t& token : tokens) token = vocabulary.tokens[static_cast<std::size_t>(token)];
    }
    splits.at(split_of[static_cast<std::size_t>(row.number)])->add(row, x, tokens);
  });
  for (auto& split : splits) {
    if (split) split->finish();
  }
}

}  // namespace

PrepareSummary write_fold(const std::filesystem::path& path, Dataset& data,
                          std::span<const std::uint8_t> split_of) {
  const FoldSizes sizes = sizes_of(data, split_of);
  if (sizes.rows[0] == 0) {
    throw InvalidArgument(fmt::format("{}: a fold has no rows to train on", data.path().string()));
  }
  const Standardization scale = measure_fold(data, split_of);
  const FoldVocabulary vocabulary = fold_vocabulary(data, split_of);
  DataDescription description = data.description();
  description.mean = scale.mean;
  description.std = scale.std;
  description.token_names = vocabulary.names;
  DatasetFile file(path, to_string(data.task()), description);
  write_rows(file.file(), data, split_of, sizes, scale, vocabulary);
  file.commit();
  return {.train = sizes.rows[0],
          .valid = sizes.rows[1],
          .test = sizes.rows[2],
          .vocabulary = std::ssize(description.token_names)};
}

}  // namespace quadgate
