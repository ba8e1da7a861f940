#include "io/importers/plain_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "engine/base/error.h"
#include "io/importers/text.h"
#include "io/importers/utf8.h"

namespace quadgate {
namespace {

/// Cuts a text that comes in pieces into words, and calls `body` with each.
template <typename Body>
class WordCutter {
 public:
  WordCutter(const TextReader& reader, Body body) : reader_(reader), body_(body) {}

  void add(std::string_view piece) {
    constexpr std::string_view kEnds = " \t\r\n";
    while (!piece.empty()) {
      if (piece.front() != '\r' && piece.front() != '\n') end_lines(returns_);
      const std::size_t size = std::min(piece.find_first_of(kEnds), piece.size());
      add_part(piece.substr(0, size), size == piece.size());
      piece.remove_prefix(size);
      if (piece.empty()) break;
      add_blank(piece.front());
      piece.remove_prefix(1);
    }
  }

  void finish() {
    if (!begun_.empty()) body_(std::string_view(begun_));
    end_lines(returns_);
    if (!line_has_ended_) body_(kEndOfLine);
  }

 private:
  /// A line ends with "\n", "\r\n", "\r\r\n" or "\r" alone: what a '\r' is, the next one tells.
  void add_blank(char blank) {
    line_has_ended_ = false;
    if (blank == '\r') {
      ++returns_;
    } else if (blank == '\n') {
      end_lines(std::max<std::int64_t>(returns_ - 1, 1));
    }
  }

  void end_lines(std::int64_t count) {
    returns_ = 0;
    for (; count > 0; --count) {
      body_(kEndOfLine);
      line_has_ended_ = true;
    }
  }

  /// A part of a word, or nothing; the word goes on in the next piece if it `may_go_on`.
  void add_part(std::string_view part, bool may_go_on) {
    if (!part.empty()) line_has_ended_ = false;
    if (begun_.size() + part.size() > TextReader::kMaxLine) {
      reader_.fail(fmt::format("expected a word of at most {} bytes, found a longer one",
                               TextReader::kMaxLine));
    }
    if (may_go_on || !begun_.empty()) {
      begun_ += part;
      if (may_go_on || begun_.empty()) return;
      body_(std::string_view(begun_));
      begun_.clear();
    } else if (!part.empty()) {
      body_(part);
    }
  }

  const TextReader& reader_;  // for messages
  Body body_;
  std::string begun_;  // a word whose end is still to come
  bool line_has_ended_ = true;
  std::int64_t returns_ = 0;  // '\r' that are still no line's end
};

template <typename Body, typename Pause>
void read_characters(TextReader& reader, Body body, Pause pause) {
  for (std::string_view piece; reader.piece(piece);) {
    while (!piece.empty()) {
      const std::size_t size = utf8_size(piece);
      body(piece.substr(0, size));
      piece.remove_prefix(size);
    }
    if (reader.at_pause()) pause(reader.line_number());
  }
}

template <typename Body, typename Pause>
void read_words(TextReader& reader, Body body, Pause pause) {
  WordCutter cutter(reader, body);
  for (std::string_view piece; reader.piece(piece);) {
    cutter.add(piece);
    if (reader.at_pause()) pause(reader.line_number());
  }
  cutter.finish();
}

/// Calls `pause` with the number of the line where an input that is read in pieces must be waited
/// for.
template <typename Body, typename Pause>
void read_file(const std::filesystem::path& path, TextLevel level, const ImportOptions& options,
               Body body, Pause pause) {
  TextReader reader(path, options);
  bool found = false;
  const auto counted = [&](std::string_view token) {
    found = true;
    body(token);
  };
  level == TextLevel::words ? read_words(reader, counted, pause)
                            : read_characters(reader, counted, pause);
  if (!found) throw FileError(path.string() + ": expected text, found none");
}

}  // namespace

TokenStream read_plain_text(std::span<const std::filesystem::path> paths, TextLevel level,
                            WordList& words, const ImportOptions& options,
                            const PieceTaker<TokenStream>& take) {
  TokenStream stream(paths.front(), options.spool);
  std::int32_t last = 0;
  const auto add = [&](std::string_view token) {
    last = words.number(token);
    stream.tokens.push_back(last);
  };
  const auto hand_on = [&](std::int64_t line) {
    if (stream.size() < 2) return;
    take(std::exchange(stream, TokenStream(paths.front(), options.spool)), line);
    const std::string token(words[last]);
    words = WordList();
    add(token);
  };
  for (const auto& path : paths) read_file(path, level, options, add, hand_on);
  return stream;
}

void read_tokens(const std::filesystem::path& path, TextLevel level,
                 const std::function<void(std::string_view)>& body) {
  read_file(
      path, level, {}, [&](std::string_view token) { body(token); }, [](std::int64_t) {});
}

}  // namespace quadgate
