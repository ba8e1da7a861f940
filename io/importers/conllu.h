#pragma once

#include <filesystem>
#include <span>

#include "io/data/data_description.h"
#include "io/data/vocabulary.h"
#include "io/importers/conllu_column.h"
#include "io/importers/import_options.h"
#include "io/prepare/token_writer.h"

namespace quadgate {

/// What is read of the words.
struct ConlluSource {
  ConlluColumn column = ConlluColumn::upos;
  TextLevel level = TextLevel::words;  ///< of LEMMA words alone
};

/// Reads the sentences of CoNLL-U files (https://universaldependencies.org/format.html), plain or
/// gzipped, UTF-8, one file after the other. A syntactic word gives its FORM and the class that
/// `source.column` tells. Of UPOS the 17 universal tags are the classes, in alphabetical order; of
/// the others what the files have, in the order of its first occurrence. Multiword tokens (1-2) and
/// empty nodes (1.1) are left out. A word without a lemma ("_") has the label kIgnoreIndex. At the
/// level of characters a word gives its code points, and the classes are B-ADJ, I-ADJ, B-ADP, ...:
/// B for the first one of a word, I for the others; of NER, B for the first one of an entity.
/// With options.unlabelled, words may have no tag ('_'), or all of them. Adds new words to `words`
/// and new classes to `classes`, those of the files before. Throws FileError ("a.conllu:17: UPOS:
/// expected ..., found 'N'") if a file is not CoNLL-U or has no sentence, or if no word has a value
/// in the column; InvalidArgument for characters with LEMMA. With options.in_pieces `take` gets the
/// sentences that have come, and then `words` is empty again; returns the others.
TaggedSentences read_conllu(std::span<const std::filesystem::path> paths,
                            const ConlluSource& source, WordList& words, WordList& classes,
                            const ImportOptions& options = {},
                            const PieceTaker<TaggedSentences>& take = {});

}  // namespace quadgate
