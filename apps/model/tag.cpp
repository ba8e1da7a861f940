#include "apps/model/tag.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/output_file.h"
#include "apps/common/threads.h"
#include "apps/common/warn.h"
#include "apps/model/sentence_tagger.h"
#include "apps/model/text_output.h"
#include "engine/base/error.h"
#include "io/importers/conllu_column.h"
#include "io/importers/conllu_text.h"
#include "io/importers/lemma_script.h"
#include "io/importers/text.h"
#include "io/importers/utf8.h"
#include "io/model/checkpoint.h"
#include "io/model/known_data.h"

namespace quadgate::apps {
namespace {

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

/// `line` is the number of the first one.
std::vector<Sentence> cut_lines(std::string_view text, TextLevel level, std::int64_t line) {
  std::vector<Sentence> sentences;
  for (; !text.empty(); ++line) {
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

/// The text with the column of the model filled.
std::string tagged_conllu(std::string_view text, const TagArguments& arguments,
                          const DataDescription& model, SentenceTagger& tagger) {
  const ConlluText conllu(text, arguments.input);
  const ConlluColumn column = column_of(model, arguments.checkpoint);
  std::vector<std::size_t> firsts;
  const auto classes = tagger.classes(cut_words(conllu, model.token_level, firsts));
  std::vector<std::string> values;
  for (std::size_t i = 0; i < firsts.size(); ++i) {
    values.push_back(value_of(conllu.words()[i].form, model.class_names[classes[firsts[i]]], column,
                              model.token_level));
  }
  return conllu.filled(column, values);
}

bool has_no_words(const Sentence& sentence) { return sentence.pieces.empty(); }

/// A line a sentence.
std::string tagged_lines(const std::vector<Sentence>& sentences, const DataDescription& model,
                         SentenceTagger& tagger) {
  const auto classes = tagger.classes(sentences);
  std::span<const std::size_t> rest = classes;
  std::string lines;
  for (const Sentence& sentence : sentences) {
    lines += tagged(sentence.pieces, rest.first(sentence.pieces.size()), model) + "\n";
    rest = rest.subspan(sentence.pieces.size());
  }
  return lines;
}

/// Writes the lines of a text, of a pipe to stdout as they come.
void tag_lines(const TagArguments& arguments, const DataDescription& model,
               SentenceTagger& tagger) {
  TextReader reader(arguments.input,
                    {.in_pieces = is_standard_stream(arguments.output) &&
                                  !std::filesystem::is_regular_file(arguments.input)});
  std::optional<TextOutput> output;  // once there are words
  std::string blank_lines;           // in front of them
  std::int64_t line = 1;
  const auto take = [&](std::string_view lines) {
    const auto sentences = cut_lines(lines, model.token_level, line);
    line += std::ssize(sentences);
    if (!output && std::ranges::all_of(sentences, has_no_words)) {
      blank_lines.append(sentences.size(), '\n');
      return;
    }
    if (!output) output.emplace(arguments.output).write(blank_lines);
    output->write(tagged_lines(sentences, model, tagger));
    output->flush();
  };
  std::string text;
  for (std::string_view piece; reader.piece(piece);) {
    text += piece;
    const std::size_t size = reader.at_pause() ? text.rfind('\n') + 1 : 0;
    if (size > 0) take(std::string_view(text).substr(0, size));
    text.erase(0, size);
  }
  take(text);
  if (!output) {
    throw FileError(arguments.input.string() + ": expected sentences, a line each, found none");
  }
  output->commit();
}

}  // namespace

void tag(TagArguments arguments) {
  if (is_standard_stream(arguments.input)) arguments.input = "/dev/stdin";
  const Checkpoint checkpoint(arguments.checkpoint);
  const ModelDescription model = checkpoint.description();
  if (model.config.task != Task::tagging || !model.config.has_embedding() || model.data.streams) {
    throw InvalidArgument(fmt::format("{}: expected a model that tags tokens, found one for {}{}",
                                      arguments.checkpoint.string(), task_name(model),
                                      model.config.has_embedding() ? "" : " of features"));
  }
  expect_output_of_text(arguments);
  SentenceTagger tagger(checkpoint, model, arguments.input, choose_threads(arguments.threads));
  if (!is_conllu(arguments.input) && !is_conllu(arguments.output)) {
    return tag_lines(arguments, model.data, tagger);
  }
  const std::string text = read_utf8(arguments.input);
  TextOutput output(arguments.output);
  output.write(tagged_conllu(text, arguments, model.data, tagger));
  output.commit();
}

}  // namespace quadgate::apps
