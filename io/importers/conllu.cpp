#include "io/importers/conllu.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "io/importers/text.h"
#include "io/importers/utf8.h"

namespace quadgate {
namespace {

/// https://universaldependencies.org/u/pos
constexpr std::array<std::string_view, 17> kUniversalTags{
    "ADJ",  "ADP",  "ADV",   "AUX",   "CCONJ", "DET", "INTJ", "NOUN", "NUM",
    "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"};

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size() || value < 0) return {};
  return value;
}

/// "1-2" of a multiword token or "1.1" of an empty node.
bool is_extra(std::string_view id) {
  const std::size_t middle = id.find_first_of("-.");
  return middle != std::string_view::npos && parse_integer(id.substr(0, middle)) &&
         parse_integer(id.substr(middle + 1));
}

/// The classes that words, or their characters, are given.
std::vector<std::string> class_names(TextLevel level) {
  std::vector<std::string> names;
  for (const std::string_view tag : kUniversalTags) {
    if (level == TextLevel::words) {
      names.emplace_back(tag);
    } else {
      names.push_back(fmt::format("B-{}", tag));
      names.push_back(fmt::format("I-{}", tag));
    }
  }
  return names;
}

/// Adds the sentences of a file to `data`.
class ConlluReader {
 public:
  ConlluReader(const std::filesystem::path& path, const ImportOptions& options,
               TaggedSentences& data, WordList& words)
      : reader_(path, options), data_(data), words_(words) {}

  void read() {
    const std::int64_t before = data_.size();
    for (std::string_view line; reader_.line(line);) {
      if (line.empty()) {
        end_sentence();
      } else if (!line.starts_with('#')) {
        read_word(line);
      }
    }
    end_sentence();
    if (data_.size() == before) {
      throw FileError(reader_.path().string() + ": expected sentences in CoNLL-U, found none");
    }
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const { reader_.fail(problem); }

  void read_word(std::string_view line) {
    const auto columns = std::count(line.begin(), line.end(), '\t') + 1;
    if (columns != 10)
      fail(fmt::format("expected 10 columns with tabs between, found {}", columns));
    const std::string_view id = cut(line, '\t');
    if (is_extra(id)) return;
    if (parse_integer(id) != last_id_ + 1) {
      fail(fmt::format("ID: expected {}, found '{}'", last_id_ + 1, id));
    }
    ++last_id_;
    const std::string_view form = cut(line, '\t');
    if (form.empty()) fail("FORM: expected a word, found nothing");
    cut(line, '\t');  // LEMMA
    const std::string_view tag = cut(line, '\t');
    const auto* const found = std::ranges::find(kUniversalTags, tag);
    if (found == kUniversalTags.end()) {
      fail(fmt::format("UPOS: expected one of {}, found '{}'", fmt::join(kUniversalTags, ", "),
                       tag));
    }
    add(form, found - kUniversalTags.begin());
  }

  /// A word, or its characters, of a tag.
  void add(std::string_view form, std::int64_t tag) {
    const auto append = [&](std::string_view token, std::int64_t label) {
      data_.tokens.push_back(words_.number(token));
      data_.tags.push_back(label);
      ++length_;
    };
    if (data_.level == TextLevel::words) {
      append(form, tag);
      return;
    }
    for (std::int64_t inside = 0; !form.empty(); inside = 1) {
      const std::size_t size = utf8_size(form);
      append(form.substr(0, size), 2 * tag + inside);
      form.remove_prefix(size);
    }
  }

  void end_sentence() {
    if (length_ > 0) data_.lengths.push_back(length_);
    length_ = 0;
    last_id_ = 0;
  }

  TextReader reader_;
  TaggedSentences& data_;
  WordList& words_;
  std::int64_t last_id_ = 0;  // of the sentence's words
  std::int64_t length_ = 0;   // of the sentence in tokens
};

}  // namespace

TaggedSentences read_conllu(std::span<const std::filesystem::path> paths, TextLevel level,
                            WordList& words, const ImportOptions& options) {
  TaggedSentences data(paths.front(), options.spool);
  data.level = level;
  data.class_names = class_names(level);
  for (const auto& path : paths) ConlluReader(path, options, data, words).read();
  return data;
}

}  // namespace quadgate
