#include "io/importers/conllu.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "engine/base/error.h"
#include "io/importers/conllu_words.h"
#include "io/importers/lemma_script.h"
#include "io/importers/text.h"
#include "io/importers/utf8.h"

namespace quadgate {
namespace {

/// https://universaldependencies.org/u/pos
constexpr std::array<std::string_view, 17> kUniversalTags{
    "ADJ",  "ADP",  "ADV",   "AUX",   "CCONJ", "DET", "INTJ", "NOUN", "NUM",
    "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"};

/// Adds the sentences of a file to `data`.
class ConlluReader {
 public:
  ConlluReader(const std::filesystem::path& path, const ImportOptions& options, ConlluColumn column,
               TaggedSentences& data, WordList& words, WordList& classes)
      : reader_(path, options),
        spool_(options.spool),
        column_(column),
        data_(data),
        words_(words),
        classes_(classes),
        may_lack_tags_(options.unlabelled.has_value()) {}

  void read(const PieceTaker<TaggedSentences>& take) {
    bool is_empty = true;
    for (std::string_view line; reader_.line(line);) {
      if (line.empty()) end_sentence();
      if (line.starts_with('#')) entities_.read_comment(line);
      if (const auto columns = or_fail([&] { return lines_.read(line); })) {
        read_word(*columns);
        is_empty = false;
      }
      if (length_ == 0 && data_.size() > 0 && reader_.at_pause()) hand_on(take);
    }
    end_sentence();
    if (is_empty) {
      throw FileError(reader_.path().string() + ": expected sentences in CoNLL-U, found none");
    }
    tell_tags();
    if (!has_values_ && !may_lack_tags_) {
      throw FileError(fmt::format(
          "{}: {}: expected {}, found none", reader_.path().string(), to_string(column_),
          column_ == ConlluColumn::ner ? "NER=... or Entity=... in MISC of a word"
                                       : "a word that has it"));
    }
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const { reader_.fail(problem); }

  void tell_tags() {
    data_.has_tags = data_.has_tags || has_values_;
    for (std::int64_t i = std::ssize(data_.class_names); i < classes_.size(); ++i) {
      data_.class_names.emplace_back(classes_[i]);
    }
  }

  void hand_on(const PieceTaker<TaggedSentences>& take) {
    tell_tags();
    TaggedSentences next(data_.path, spool_);
    next.level = data_.level;
    next.column = data_.column;
    next.has_tags = has_values_;
    hides_classes_ = hides_classes_ || (has_classes_ && !has_values_);
    take(std::exchange(data_, std::move(next)), reader_.line_number());
    words_ = WordList();
  }

  void read_word(const ConlluColumns& columns) {
    add(columns[1], tag_of(columns[1], std::span(columns).last<8>()));
  }

  /// The class of a word, of LEMMA on; empty if it has none.
  std::string tag_of(std::string_view form, std::span<const std::string_view, 8> columns) {
    switch (column_) {
      case ConlluColumn::upos:
        if (may_lack_tags_ && columns[1] == kNone) return {};
        expect_universal(columns[1]);
        return value(columns[1]);
      case ConlluColumn::xpos:
        return value(columns[2]);
      case ConlluColumn::feats:
        return value(columns[3]);
      case ConlluColumn::lemma:
        if (columns[0] == kNone && form != kNone) return {};
        return lemma_script(form, value(columns[0]));
      case ConlluColumn::ner:
        break;
    }
    std::string tag = or_fail([&] { return entities_.tag(columns[7]); });
    if (entities_.found()) expect_values_so_far();
    return tag;
  }

  std::string value(std::string_view text) {
    if (text.empty())
      fail(fmt::format("{}: expected a value or _, found nothing", to_string(column_)));
    if (text != kNone) expect_values_so_far();
    return std::string(text);
  }

  /// The column has values, so those without one have the class of none, also in front of this one.
  void expect_values_so_far() {
    if (!has_values_ && hides_classes_) {
      fail(
          fmt::format("{}: expected none, as sentences that were answered before have none, found "
                      "a value (from a file, not a pipe, sentences are answered once all are read)",
                      to_string(column_)));
    }
    has_values_ = true;
  }

  void expect_universal(std::string_view tag) const {
    if (std::ranges::find(kUniversalTags, tag) != kUniversalTags.end()) return;
    fail(fmt::format("UPOS: expected one of {}, found '{}'", fmt::join(kUniversalTags, ", "), tag));
  }

  template <typename Body>
  std::invoke_result_t<Body&> or_fail(Body body) {
    try {
      return body();
    } catch (const InvalidArgument& error) {
      fail(error.what());
    }
  }

  /// A word, or its characters, of a class.
  void add(std::string_view form, const std::string& tag) {
    if (tag.empty()) {
      ++data_.unlabelled;
      data_.level == TextLevel::words ? append(form, kIgnoreIndex)
                                      : append_characters(form, kIgnoreIndex, kIgnoreIndex);
    } else {
      has_classes_ = true;
      data_.level == TextLevel::words ? append(form, classes_.number(tag))
                                      : add_characters(form, tag);
    }
  }

  void add_characters(std::string_view form, const std::string& tag) {
    const auto [first, others] = column_ == ConlluColumn::ner ? character_classes_of_entity(tag)
                                                              : std::pair{"B-" + tag, "I-" + tag};
    append_characters(form, classes_.number(first), classes_.number(others));
  }

  void append_characters(std::string_view form, std::int64_t first, std::int64_t others) {
    for (std::int64_t label = first; !form.empty(); label = others) {
      const std::size_t size = utf8_size(form);
      append(form.substr(0, size), label);
      form.remove_prefix(size);
    }
  }

  /// Those of a word's first character and of its others.
  std::pair<std::string, std::string> character_classes_of_entity(const std::string& tag) const {
    if (tag.starts_with("B-")) return {tag, "I-" + tag.substr(2)};
    if (tag != "O" && !tag.starts_with("I-")) {
      fail(fmt::format("NER: expected O, B-... or I-... at the level of characters, found '{}'",
                       tag));
    }
    return {tag, tag};
  }

  void append(std::string_view token, std::int64_t label) {
    data_.tokens.push_back(words_.number(token));
    data_.tags.push_back(label);
    ++length_;
  }

  void end_sentence() {
    or_fail([&] { entities_.end_sentence(); });
    if (length_ > 0) data_.lengths.push_back(length_);
    length_ = 0;
  }

  static constexpr std::string_view kNone = "_";

  TextReader reader_;
  SpoolOptions spool_;
  ConlluColumn column_;
  TaggedSentences& data_;
  WordList& words_;
  WordList& classes_;
  EntityTags entities_;
  bool has_values_ = false;     // in the column
  bool has_classes_ = false;    // a word has one that was read, if only that of no value
  bool hides_classes_ = false;  // handed on while no value told that the column has any
  bool may_lack_tags_;
  ConlluWords lines_;
  std::int64_t length_ = 0;  // of the sentence in tokens
};

}  // namespace

TaggedSentences read_conllu(std::span<const std::filesystem::path> paths,
                            const ConlluSource& source, WordList& words, WordList& classes,
                            const ImportOptions& options, const PieceTaker<TaggedSentences>& take) {
  const bool of_characters = source.level == TextLevel::characters;
  if (source.column == ConlluColumn::lemma && of_characters) {
    throw InvalidArgument("LEMMA: expected the level of words, found characters");
  }
  if (source.column == ConlluColumn::upos) {
    for (const std::string_view tag : kUniversalTags) {
      classes.number(of_characters ? fmt::format("B-{}", tag) : std::string(tag));
      if (of_characters) classes.number(fmt::format("I-{}", tag));
    }
  }
  TaggedSentences data(paths.front(), options.spool);
  data.level = source.level;
  data.has_tags = false;
  data.column = source.column == ConlluColumn::upos ? "" : to_string(source.column);
  for (const auto& path : paths) {
    ConlluReader(path, options, source.column, data, words, classes).read(take);
  }
  return data;
}

}  // namespace quadgate
