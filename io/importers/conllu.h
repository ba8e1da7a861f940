#pragma once

#include <filesystem>
#include <span>

#include "io/data/data_description.h"
#include "io/data/vocabulary.h"
#include "io/importers/import_options.h"
#include "io/prepare/token_writer.h"

namespace quadgate {

/// Reads the sentences of CoNLL-U files (https://universaldependencies.org/format.html), plain or
/// gzipped, UTF-8, one file after the other. A syntactic word gives its FORM and its UPOS. The 17
/// universal tags are the classes, in alphabetical order. Multiword tokens (1-2) and empty nodes
/// (1.1) are left out. At the level of characters a word gives its code points, and the classes are
/// B-ADJ, I-ADJ, B-ADP, ...: B for the first one of a word, I for the others. Adds new words to
/// `words`. Throws FileError ("a.conllu:17: UPOS: expected ..., found 'N'") if a file is not
/// CoNLL-U or has no sentence.
TaggedSentences read_conllu(std::span<const std::filesystem::path> paths, TextLevel level,
                            WordList& words, const ImportOptions& options = {});

}  // namespace quadgate
