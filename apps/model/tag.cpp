#include "apps/model/tag.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "apps/common/output_file.h"
#include "apps/common/threads.h"
#include "apps/common/warn.h"
#include "apps/model/model_on_data.h"
#include "apps/model/text_output.h"
#include "engine/base/error.h"
#include "engine/model/crf_batch.h"
#include "engine/training/network.h"
#include "io/data/vocabulary.h"
#include "io/importers/conllu_column.h"
#include "io/importers/conllu_text.h"
#include "io/importers/lemma_script.h"
#include "io/importers/text.h"
#include "io/importers/utf8.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {
namespace {

/// A token as the text has it.
struct Piece {
  std::string_view text;
  bool after_blank = true;  ///< or first in its line
};

struct Sentence {
  std::vector<Piece> pieces{};
  std::int64_t line = 0;  ///< that it begins in, from 1
};

bool is_blank(std::string_view character) {
  return character == " " || character == "\t" || character == "\r" || character == "\u3000";
}

/// The words of a line, which are what stands between blanks, or their characters.
std::vector<Piece> cut_line(std::string_view line, TextLevel level) {
  std::vector<Piece> sentence;
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
  for (std::int64_t line = 1; !text.empty(); ++line) {
    sentences.push_back({cut_line(cut(text, '\n'), level), line});
  }
  return sentences;
}

/// The sentences of CoNLL-U, and which piece of all each word begins with.
std::vector<Sentence> cut_words(const ConlluText& text, TextLevel level,
                                std::vector<std::size_t>& firsts) {
  std::vector<Sentence> sentences;
  std::size_t pieces = 0;
  for (const ConlluText::Word& word : text.words()) {
    if (word.begins) sentences.push_back({{}, word.line});
    std::vector<Piece>& sentence = sentences.back().pieces;
    firsts.push_back(pieces);
    for (std::string_view form = word.form; !form.empty(); ++pieces) {
      const std::size_t size = level == TextLevel::words ? form.size() : utf8_size(form);
      sentence.push_back({form.substr(0, size)});
      form.remove_prefix(size);
    }
  }
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
  for (const Sentence& sentence : sentences) {
    for (const Piece& piece : sentence.pieces) {
      auto found = numbers.find(piece.text);
      if (found == numbers.end()) found = numbers.find(kUnknownToken);
      if (found == numbers.end()) {
        throw DataError(fmt::format("{}:{}: expected tokens of the vocabulary, found '{}'",
                                    path.string(), sentence.line, piece.text));
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
  const std::int64_t rows = std::min(forward_rows(longest), all.rows());
  Arena arena(threads);
  Network network(config, longest, rows, arena, {.forward_only = true});
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
std::string tagged(const std::vector<Piece>& sentence, std::span<const std::size_t> classes,
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

/// The column of CoNLL-U that the model's classes are of.
ConlluColumn column_of(const DataDescription& model, const std::filesystem::path& checkpoint) {
  if (!model.recipe || model.recipe->kind != "conllu") {
    note(fmt::format("{}: does not tell what its classes are of; they go to {}",
                     checkpoint.string(), model.tag_column.empty() ? "UPOS" : model.tag_column));
  }
  return parse_conllu_column(model.tag_column).value_or(ConlluColumn::upos);
}

/// What a word of that class has in the column.
std::string value_of(std::string_view form, std::string_view name, ConlluColumn column,
                     TextLevel level) {
  if (column == ConlluColumn::lemma) return apply_lemma_script(name, form);
  const bool has_prefix = level == TextLevel::characters && column != ConlluColumn::ner &&
                          (name.starts_with("B-") || name.starts_with("I-"));
  return std::string(has_prefix ? name.substr(2) : name);
}

bool is_conllu(const std::filesystem::path& path) {
  return path.extension() == ".conllu" ||
         (path.extension() == ".gz" && path.stem().extension() == ".conllu");
}

void expect_output_of_text(const TagArguments& arguments) {
  const std::filesystem::path& output = arguments.output;
  if (is_standard_stream(output)) return;
  if (output.extension() == ".gz") {
    throw InvalidArgument(
        fmt::format("--output: expected a name without .gz, found '{}'", output.string()));
  }
  expect_no_input(output, std::span(&arguments.checkpoint, 1));
  expect_no_input(output, std::span(&arguments.input, 1));
  if (!arguments.force) expect_same_format(output, "");
}

/// Finds the classes of the pieces of sentences.
using Tagger = std::function<std::vector<std::size_t>(const std::vector<Sentence>&)>;

/// The text with the column of the model filled.
std::string tagged_conllu(std::string_view text, const TagArguments& arguments,
                          const DataDescription& model, const Tagger& classes_of_pieces) {
  const ConlluText conllu(text, arguments.input);
  const ConlluColumn column = column_of(model, arguments.checkpoint);
  std::vector<std::size_t> firsts;
  const auto classes = classes_of_pieces(cut_words(conllu, model.token_level, firsts));
  std::vector<std::string> values;
  for (std::size_t i = 0; i < firsts.size(); ++i) {
    values.push_back(value_of(conllu.words()[i].form, model.class_names[classes[firsts[i]]], column,
                              model.token_level));
  }
  return conllu.filled(column, values);
}

/// A line a sentence.
std::string tagged_lines(std::string_view text, const TagArguments& arguments,
                         const DataDescription& model, const Tagger& classes_of_pieces) {
  const std::vector<Sentence> sentences = cut_lines(text, model.token_level);
  if (std::ranges::all_of(sentences, [](const auto& its) { return its.pieces.empty(); })) {
    throw FileError(arguments.input.string() + ": expected sentences, a line each, found none");
  }
  const auto classes = classes_of_pieces(sentences);
  std::span<const std::size_t> rest = classes;
  std::string lines;
  for (const Sentence& sentence : sentences) {
    lines += tagged(sentence.pieces, rest.first(sentence.pieces.size()), model) + "\n";
    rest = rest.subspan(sentence.pieces.size());
  }
  return lines;
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
  expect_output_of_text(arguments);
  const std::string text = read_utf8(arguments.input);
  const auto classes_of_pieces = [&](const std::vector<Sentence>& sentences) {
    const Batch tokens = tokens_of(sentences, model.data.token_names, arguments.input);
    return classes_of(tokens, checkpoint, model.config, choose_threads(arguments.threads));
  };
  const bool fills = is_conllu(arguments.input) || is_conllu(arguments.output);
  TextOutput output(arguments.output);
  output.write(
      (fills ? tagged_conllu : tagged_lines)(text, arguments, model.data, classes_of_pieces));
  output.commit();
}

}  // namespace quadgate::apps
