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
#include <utility>

#include "engine/error.h"
#include "io/importers/text.h"
#include "io/importers/utf8.h"
#include "io/vocabulary.h"

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

/// Reads files line by line into `data`.
class ConlluReader {
 public:
  explicit ConlluReader(TextLevel level) {
    data_.level = level;
    for (const std::string_view tag : kUniversalTags) {
      if (level == TextLevel::words) {
        data_.class_names.emplace_back(tag);
      } else {
        data_.class_names.push_back(fmt::format("B-{}", tag));
        data_.class_names.push_back(fmt::format("I-{}", tag));
      }
    }
  }

  void read(const std::filesystem::path& path) {
    if (data_.path.empty()) data_.path = path;
    path_ = path;
    line_ = 0;
    const std::int64_t before = data_.size();
    const std::string content = read_utf8(path);
    for (std::string_view rest = content; !rest.empty();) {
      ++line_;
      std::string_view line = cut(rest, '\n');
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty()) {
        end_sentence();
      } else if (!line.starts_with('#')) {
        read_word(line);
      }
    }
    end_sentence();
    if (data_.size() == before) {
      throw FileError(path.string() + ": expected sentences in CoNLL-U, found none");
    }
  }

  TaggedSentences take() {
    data_.words = words_.words();
    return std::move(data_);
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw FileError(fmt::format("{}:{}: {}", path_.string(), line_, problem));
  }

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
    const std::int64_t end = std::ssize(data_.tags);
    if (end > data_.offsets.back()) data_.offsets.push_back(end);
    last_id_ = 0;
  }

  TaggedSentences data_;
  WordList words_;
  std::filesystem::path path_;
  std::int64_t line_ = 0;
  std::int64_t last_id_ = 0;  // of the sentence's words
};

}  // namespace

TaggedSentences read_conllu(std::span<const std::filesystem::path> paths, TextLevel level) {
  ConlluReader reader(level);
  for (const auto& path : paths) reader.read(path);
  return reader.take();
}

}  // namespace quadgate
