#pragma once

#include <filesystem>
#include <span>

#include "io/token_writer.h"

namespace quadgate {

/// Reads the sentences of CoNLL-U files (https://universaldependencies.org/format.html), plain or
/// gzipped, UTF-8, one file after the other: of each syntactic word its FORM and its UPOS, one of
/// the 17 universal tags, which are the classes in alphabetical order. Multiword tokens (1-2) and
/// empty nodes (1.1) are left out. Throws FileError ("a.conllu:17: UPOS: expected ..., found 'N'")
/// if a file is not such, or has no sentence.
TaggedSentences read_conllu(std::span<const std::filesystem::path> paths);

}  // namespace quadgate
