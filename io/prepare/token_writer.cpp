#include "io/prepare/token_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "engine/base/error.h"
#include "engine/model/loss_config.h"
#include "io/data/data_description.h"
#include "io/data/feature_view.h"
#include "io/hdf5/array_writer.h"
#include "io/prepare/dataset_parts.h"
#include "io/prepare/row_splits.h"
#include "io/prepare/split_arrays.h"

namespace quadgate {
namespace {

/// Sentences and the split of each.
struct SentenceSplit {
  const TaggedSentences* data;
  RowSplits splits;
};

/// Calls `body` with the split and the length of each sentence.
template <typename Body>
void for_each_sentence(const SentenceSplit& source, Body body) {
  SpooledIntegers::Reader lengths(source.data->lengths);
  for (std::int64_t row = 0; row < source.data->size(); ++row) {
    body(source.splits[row], lengths.next());
  }
}

/// How often each word comes in the training sentences.
std::vector<std::int64_t> count_words(const WordList& words, const SentenceSplit& training) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(words.size()));
  SpooledIntegers::Reader tokens(training.data->tokens);
  for_each_sentence(training, [&](std::size_t split, std::int64_t length) {
    for (; length > 0; --length) {
      counts[static_cast<std::size_t>(tokens.next())] += split == 0 ? 1 : 0;
    }
  });
  return counts;
}

/// Writes the arrays of the splits side by side.
class SentenceWriter {
 public:
  SentenceWriter(hdf5::FileWriter& file, const std::vector<SentenceSplit>& sources,
                 std::vector<std::int64_t> labels, hdf5::Storage storage)
      : labels_(std::move(labels)) {
    SequenceCounts sizes{.fixed_len = 0};  // the file has offsets, whatever the lengths
    for (const SentenceSplit& source : sources) {
      for_each_sentence(source,
                        [&](std::size_t split, std::int64_t length) { sizes.add(split, length); });
    }
    const SequenceKind kind{.task = Task::tagging, .has_targets = sources.front().data->has_tags};
    for (std::size_t i = 0; i < splits_.size(); ++i) {
      if (sizes.rows.at(i) > 0) splits_.at(i).emplace(file, i, sizes, kind, storage);
    }
  }

  void write(const SentenceSplit& source, const Vocabulary& vocabulary, WorkMeter& meter) {
    SpooledIntegers::Reader tokens(source.data->tokens);
    SpooledIntegers::Reader tags(source.data->tags);
    for_each_sentence(source, [&](std::size_t index, std::int64_t length) {
      SplitArrays& split = splits_.at(index).value();
      for (std::int64_t i = 0; i < length; ++i) {
        split.tokens->append(vocabulary.token_of(tokens.next()));
        const std::int64_t tag = tags.next();
        if (!split.labels) continue;
        split.labels->append(tag == kIgnoreIndex ? tag : labels_[static_cast<std::size_t>(tag)]);
      }
      split.end_sequence(length);
      meter.add(static_cast<std::size_t>(length) * kTokenBytes);
    });
  }

  void finish() {
    for (auto& split : splits_) {
      if (split) split->finish();
    }
  }

  /// Of a token and its tag in the file.
  static constexpr std::int64_t kTokenBytes = sizeof(std::int32_t) + sizeof(std::int64_t);

 private:
  std::vector<std::int64_t> labels_;  // by tag
  std::array<std::optional<SplitArrays>, 3> splits_;
};

/// What the tags are among the classes of `like`, or as they are.
std::vector<std::int64_t> labels_of_tags(const std::vector<SentenceSplit>& sources,
                                         const DataDescription* like) {
  const std::vector<std::string>& tags = sources.back().data->class_names;
  std::vector<std::int64_t> labels(tags.size());
  std::iota(labels.begin(), labels.end(), 0);
  if (like == nullptr || like->class_names == tags) return labels;
  std::vector<bool> has(tags.size());
  for (const SentenceSplit& source : sources) {
    SpooledIntegers::Reader reader(source.data->tags);
    for (std::int64_t i = 0; i < source.data->tags.size(); ++i) {
      const std::int64_t tag = reader.next();
      if (tag != kIgnoreIndex) has[static_cast<std::size_t>(tag)] = source.data->has_tags;
    }
  }
  for (std::size_t tag = 0; tag < tags.size(); ++tag) {
    const auto found = std::ranges::find(like->class_names, tags[tag]);
    labels[tag] = found - like->class_names.begin();
    if (found != like->class_names.end() || !has[tag]) continue;
    labels[tag] = kIgnoreIndex;
    if (tags[tag] == "_" || tags[tag] == "B-_" || tags[tag] == "I-_") continue;  // has none
    throw DataError(fmt::format(
        "{}: expected classes of the data that it shall be like, {}, found '{}' (a word "
        "with _ instead is taken, and does not count; a model whose data had this file "
        "as --test counts it as an error; 'quadgate tag' fills a file whatever it has)",
        sources.front().data->path.string(), names_text(like->class_names), tags[tag]));
  }
  return labels;
}

/// That of options.like, or the words that are frequent among those that `count` counts.
template <typename Count>
Vocabulary vocabulary_of(const std::filesystem::path& path, const WordList& words,
                         const PrepareOptions& options, Count count) {
  if (options.like == nullptr) return {words, count(), options.min_count};
  try {
    return {words, options.like->token_names};
  } catch (const DataError& error) {
    throw DataError(fmt::format("{}: {}", path.string(), error.what()));
  }
}

/// How often each word comes among the first `size` tokens.
std::vector<std::int64_t> count_words(const WordList& words, const TokenStream& data,
                                      std::int64_t size, const PrepareOptions& options) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(words.size()));
  SpooledIntegers::Reader tokens(data.tokens);
  WorkMeter meter(options.observer, "measuring", data.path, size);
  for (std::int64_t i = 0; i < size; ++i) {
    ++counts[static_cast<std::size_t>(tokens.next())];
    meter.add(1);
  }
  return counts;
}

/// Writes the next `size` tokens as a split, unless there are none.
void write_split(hdf5::FileWriter& file, const std::string& name, SpooledIntegers::Reader& tokens,
                 std::int64_t size, const Vocabulary& vocabulary, hdf5::Storage storage,
                 WorkMeter& meter) {
  if (size == 0) return;
  file.create_group(name);
  hdf5::ArrayWriter<std::int32_t> x(file, name + "/x", {size}, storage);
  for (std::int64_t i = 0; i < size; ++i) {
    x.append(vocabulary.token_of(tokens.next()));
    meter.add(sizeof(std::int32_t));
  }
  x.finish();
}

}  // namespace

PrepareSummary write_tagging(const std::filesystem::path& path, const WordList& words,
                             const TaggedSentences& data,
                             const std::optional<TaggedSentences>& valid,
                             const std::optional<TaggedSentences>& test,
                             const PrepareOptions& options) {
  PrepareSummary summary = divide(data.path, data.size(), rows_of(valid), rows_of(test), options);
  std::vector<SentenceSplit> sources;
  sources.push_back(
      {&data, RowSplits({summary.train, valid ? 0 : summary.valid, test ? 0 : summary.test},
                        options.seed)});
  if (valid) sources.push_back({&*valid, RowSplits(1)});
  if (test) sources.push_back({&*test, RowSplits(2)});
  for (const SentenceSplit& source : sources) {
    if (source.data->has_tags == data.has_tags) continue;
    throw DataError(fmt::format("{}: expected tags in all files or in none, as in {}",
                                source.data->path.string(), data.path.string()));
  }
  const Vocabulary vocabulary =
      vocabulary_of(data.path, words, options, [&] { return count_words(words, sources.front()); });
  const std::vector<std::int64_t> labels = labels_of_tags(sources, options.like);
  DataDescription description = describe({}, {}, options);
  description.token_level = data.level;
  description.tag_column = data.column;
  if (options.like == nullptr) {
    description.class_names = (test ? *test : valid ? *valid : data).class_names;
  }
  description.token_names = vocabulary.names();
  DatasetFile file(path, "tagging", description);
  {
    SentenceWriter writer(file.file(), sources, labels, storage_of(options));
    std::int64_t tokens = 0;
    for (const SentenceSplit& source : sources) tokens += source.data->tokens.size();
    WorkMeter meter(options.observer, "writing", path, tokens * SentenceWriter::kTokenBytes);
    for (const SentenceSplit& source : sources) writer.write(source, vocabulary, meter);
    writer.finish();
  }
  file.commit();
  summary.vocabulary = std::ssize(vocabulary.names());
  return summary;
}

PrepareSummary write_language_model(const std::filesystem::path& path, const WordList& words,
                                    const TokenStream& data,
                                    const std::optional<TokenStream>& valid,
                                    const std::optional<TokenStream>& test,
                                    const PrepareOptions& options) {
  PrepareSummary summary = divide(data.path, data.size(), rows_of(valid), rows_of(test), options);
  const Vocabulary vocabulary = vocabulary_of(
      data.path, words, options, [&] { return count_words(words, data, summary.train, options); });
  DataDescription description = describe({}, {}, options);
  description.class_names.clear();  // they are the tokens
  description.token_names = vocabulary.names();
  DatasetFile file(path, "language_model", description);
  const std::int64_t total = summary.train + summary.valid + summary.test;
  WorkMeter meter(options.observer, "writing", path,
                  total * static_cast<std::int64_t>(sizeof(std::int32_t)));
  SpooledIntegers::Reader tokens(data.tokens);
  const auto write = [&](const char* name, const std::optional<TokenStream>& own,
                         std::int64_t size) {
    std::optional<SpooledIntegers::Reader> own_tokens;
    if (own) own_tokens.emplace(own->tokens);
    write_split(file.file(), name, own ? *own_tokens : tokens, size, vocabulary,
                storage_of(options), meter);
  };
  write("train", {}, summary.train);
  write("valid", valid, summary.valid);
  write("test", test, summary.test);
  file.commit();
  summary.vocabulary = std::ssize(vocabulary.names());
  return summary;
}

}  // namespace quadgate
