#include "apps/model/tag.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "apps/common/threads.h"
#include "apps/model/model_on_data.h"
#include "engine/base/error.h"
#include "engine/model/crf_batch.h"
#include "engine/training/network.h"
#include "io/data/vocabulary.h"
#include "io/importers/conllu_column.h"
#include "io/importers/lemma_script.h"
#include "io/importers/text.h"
#include "io/importers/utf8.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {
namespace {

constexpr std::int64_t kMostRows = 64;         // of a batch
constexpr std::int64_t kMostSteps = 1L << 14;  // of a batch, unless one sentence is longer

/// A token as the text has it.
struct Piece {
  std::string_view text;
  bool after_blank = true;  ///< or first in its line
};

using Sentence = std::vector<Piece>;

bool is_blank(std::string_view character) {
  return character == " " || character == "\t" || character == "\r" || character == "\u3000";
}

/// The words of a line, which are what stands between blanks, or their characters.
Sentence cut_line(std::string_view line, TextLevel level) {
  Sentence sentence;
  bool after_blank = true;
  while (!line.empty()) {
    const std::string_view character = line.substr(0, utf8_size(line));
    line.remove_prefix(character.size());
    if (is_blank(character)) {
      after_blank = true;
      continue;
    }
    if (after_blank || level == TextLevel::characters) {
      sentence.push_back({character, after_blank});
    } else {
      std::string_view& word = sentence.back().text;
      word = {word.data(), word.size() + character.size()};
    }
    after_blank = false;
  }
  return sentence;
}

std::vector<Sentence> cut_lines(std::string_view text, TextLevel level) {
  std::vector<Sentence> sentences;
  while (!text.empty()) sentences.push_back(cut_line(cut(text, '\n'), level));
  return sentences;
}

/// The sentences that have tokens. Throws DataError, naming `path` and line, at a token that is not
/// in the vocabulary if <unk> is not either.
Batch tokens_of(const std::vector<Sentence>& sentences, const std::vector<std::string>& names,
                const std::filesystem::path& path) {
  std::unordered_map<std::string_view, std::int32_t> numbers;
  for (const std::string& name : names) {
    numbers.emplace(name, static_cast<std::int32_t>(numbers.size()));
  }
  Batch batch;
  batch.offsets = {0};
  for (std::size_t line = 0; line < sentences.size(); ++line) {
    for (const Piece& piece : sentences[line]) {
      auto found = numbers.find(piece.text);
      if (found == numbers.end()) found = numbers.find(kUnknownToken);
      if (found == numbers.end()) {
        throw DataError(fmt::format("{}:{}: expected tokens of the vocabulary, found '{}'",
                                    path.string(), line + 1, piece.text));
      }
      batch.tokens.push_back(found->second);
    }
    const std::int64_t end = std::ssize(batch.tokens);
    if (end > batch.steps()) batch.offsets.push_back(end);
  }
  return batch;
}

/// Rows `first` to `end` of a batch of tokens.
Batch part_of(const Batch& all, std::int64_t first, std::int64_t end) {
  const auto offsets = all.offsets.begin() + first;
  Batch part;
  part.tokens.assign(all.tokens.begin() + *offsets, all.tokens.begin() + offsets[end - first]);
  for (auto offset = offsets; offset <= offsets + (end - first); ++offset) {
    part.offsets.push_back(*offset - *offsets);
  }
  return part;
}

/// The likeliest class of each token, with a crf those that are the likeliest together.
std::vector<std::size_t> classes_of(const Batch& all, const Checkpoint& checkpoint,
                                    const ModelConfig& config, int threads) {
  std::int64_t longest = 0;
  for (std::size_t row = 1; row < all.offsets.size(); ++row) {
    longest = std::max(longest, all.offsets[row] - all.offsets[row - 1]);
  }
  const std::int64_t rows = std::clamp(kMostSteps / longest, std::int64_t{1}, kMostRows);
  Arena arena(threads);
  Network network(config, longest, rows, arena);
  checkpoint.load_parameters(network.parameters());
  std::optional<CrfBatch> crf;
  if (config.crf) crf.emplace(network.parameters());
  std::vector<std::size_t> classes;
  std::vector<float> logits;
  for (std::int64_t row = 0; row < all.rows(); row += rows) {
    const Batch batch = part_of(all, row, std::min(row + rows, all.rows()));
    logits.resize(static_cast<std::size_t>(batch.steps() * config.output_size));
    network.predict(batch, logits);
    expect_finite_outputs(checkpoint.path(), logits);
    if (crf) {
      for (const std::int64_t tag : crf->decode(batch, logits)) {
        classes.push_back(static_cast<std::size_t>(tag));
      }
      continue;
    }
    for (auto first = logits.begin(); first != logits.end(); first += config.output_size) {
      const auto best = std::max_element(first, first + config.output_size);
      classes.push_back(static_cast<std::size_t>(best - first));
    }
  }
  return classes;
}

/// "word/TAG word/TAG", or "word/lemma word/lemma". A character of class I-TAG goes on with the
/// word before it, if no blank is between.
std::string tagged(const Sentence& sentence, std::span<const std::size_t> classes,
                   const DataDescription& model) {
  const bool characters = model.token_level == TextLevel::characters;
  const bool lemmas = model.tag_column == to_string(ConlluColumn::lemma);
  std::string line;
  std::string tag;
  for (std::size_t i = 0; i < sentence.size(); ++i) {
    const std::string_view name = model.class_names[classes[i]];
    const bool inside = characters && name.starts_with("I-");
    if (!inside || sentence[i].after_blank) {
      if (i > 0) line += fmt::format("/{} ", tag);
      tag = lemmas ? apply_lemma_script(name, sentence[i].text)
                   : name.substr(inside || (characters && name.starts_with("B-")) ? 2 : 0);
    }
    line += sentence[i].text;
  }
  return sentence.empty() ? line : fmt::format("{}/{}", line, tag);
}

}  // namespace

void tag(const TagArguments& arguments) {
  const Checkpoint checkpoint(arguments.checkpoint);
  const ModelDescription model = checkpoint.description();
  if (model.config.task != Task::tagging || !model.config.has_embedding() || model.data.streams) {
    throw InvalidArgument(fmt::format("{}: expected a model that tags tokens, found one for {}{}",
                                      arguments.checkpoint.string(), task_name(model),
                                      model.config.has_embedding() ? "" : " of features"));
  }
  const std::string text = read_utf8(arguments.input);
  const std::vector<Sentence> sentences = cut_lines(text, model.data.token_level);
  const Batch tokens = tokens_of(sentences, model.data.token_names, arguments.input);
  if (tokens.rows() == 0) {
    throw FileError(arguments.input.string() + ": expected sentences, a line each, found none");
  }
  const auto classes =
      classes_of(tokens, checkpoint, model.config, choose_threads(arguments.threads));
  std::span<const std::size_t> rest = classes;
  for (const Sentence& sentence : sentences) {
    fmt::print("{}\n", tagged(sentence, rest.first(sentence.size()), model.data));
    rest = rest.subspan(sentence.size());
  }
}

}  // namespace quadgate::apps
