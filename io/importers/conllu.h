#pragma once

#include <filesystem>
#include <span>

#include "io/data/data_description.h"
#include "io/data/vocabulary.h"
#include "io/importers/import_options.h"
#include "io/prepare/token_writer.h"

namespace quadgate {

/// Reads the sentences of CoNLL-U files (https://universaldependencies.org/format.html), plain or
/// gzipped, UTF-8, one file after the other: of each syntactic word its FORM and its UPOS, one of
/// the 17 universal tags, which are the classes in alphabetical order. Multiword tokens (1-2) and
/// empty nodes (1.1) are left out. At the level of characters (code points) the tokens are those of
/// the words, and the classes B-ADJ, I-ADJ, B-ADP, ...: B for the first one of a word, I for the
/// others. Throws FileError ("a.conllu:17: UPOS: expected ..., found 'N'") if a file is not such,
/// or has no sentence. Words that are new are added to `words`.
TaggedSentences read_conllu(std::span<const std::filesystem::path> paths, TextLevel level,
                            WordList& words, const ImportOptions& options = {});

}  // namespace quadgate
