#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

#include "io/data/data_description.h"
#include "io/data/vocabulary.h"
#include "io/importers/import_options.h"
#include "io/prepare/token_writer.h"

namespace quadgate {

/// The token for the end of a line of words.
inline constexpr std::string_view kEndOfLine = "<eos>";

/// Reads UTF-8 text files, plain or gzipped, one after the other, as a stream of tokens. A token is
/// a character, ends of lines among them, or a word. Blanks, tabs and ends of lines divide words,
/// and kEndOfLine stands for an end of line. Adds new words to `words`. Throws FileError
/// ("a.txt:17: expected UTF-8, found byte 0xff"), also if a file is empty. With options.in_pieces
/// `take` gets the tokens that have come, two at least, and then `words` and what follows begin
/// with the last one of them; returns the others.
TokenStream read_plain_text(std::span<const std::filesystem::path> paths, TextLevel level,
                            WordList& words, const ImportOptions& options = {},
                            const PieceTaker<TokenStream>& take = {});

/// Calls `body` with the tokens of such a file, one after the other. Throws like read_plain_text.
void read_tokens(const std::filesystem::path& path, TextLevel level,
                 const std::function<void(std::string_view)>& body);

}  // namespace quadgate
