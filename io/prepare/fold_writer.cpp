#include "io/prepare/fold_writer.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "io/data/standardization.h"
#include "io/data/vocabulary.h"
#include "io/prepare/dataset_parts.h"
#include "io/prepare/dataset_rows.h"
#include "io/prepare/split_arrays.h"

namespace quadgate {
namespace {

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

SequenceCounts sizes_of(Dataset& data, std::span<const std::uint8_t> split_of) {
  SequenceCounts sizes;
  std::size_t number = 0;
  for (const std::string& name : data.split_names()) {
    const Split& split = data.split(name);
    for (std::int64_t row = 0; row < split.size(); ++row) {
      sizes.add(split_of[number++], split.length(row));
    }
  }
  return sizes;
}

void write_rows(hdf5::FileWriter& file, Dataset& data, std::span<const std::uint8_t> split_of,
                const SequenceCounts& sizes, const Standardization& scale,
                const FoldVocabulary& vocabulary) {
  const bool has_tokens = data.vocabulary_size() > 0;
  const SequenceKind kind{.task = data.task(),
                          .features = has_tokens ? 0 : data.input_size(),
                          .output_size = data.output_size()};
  std::array<std::optional<SplitArrays>, 3> splits;
  for (std::size_t i = 0; i < splits.size(); ++i) {
    if (sizes.rows.at(i) == 0) continue;
    splits.at(i).emplace(file, i, sizes, kind, hdf5::Storage::contiguous);
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
    SplitArrays& split = splits.at(split_of[static_cast<std::size_t>(row.number)]).value();
    if (split.x) split.x->append(x);
    if (split.tokens) split.tokens->append(tokens);
    if (split.labels) split.labels->append(row.labels);
    if (split.targets) split.targets->append(row.targets);
    split.end_sequence(row.length);
  });
  for (auto& split : splits) {
    if (split) split->finish();
  }
}

}  // namespace

PrepareSummary write_fold(const std::filesystem::path& path, Dataset& data,
                          std::span<const std::uint8_t> split_of) {
  const SequenceCounts sizes = sizes_of(data, split_of);
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
