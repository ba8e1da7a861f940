#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace quadgate {

/// The columns of a line of CoNLL-U: ID, FORM, LEMMA, UPOS, XPOS, FEATS, HEAD, DEPREL, DEPS, MISC.
using ConlluColumns = std::array<std::string_view, 10>;

/// Tells which lines of a CoNLL-U file are syntactic words.
class ConlluWords {
 public:
  /// The next line, without its end. None of an empty line, which ends a sentence, a comment, a
  /// multiword token (1-2) or an empty node (1.1). Throws InvalidArgument with the problem as text
  /// if it is no line of CoNLL-U, or its ID is not the next one.
  std::optional<ConlluColumns> read(std::string_view line);

 private:
  std::int64_t last_id_ = 0;  // of the sentence's words
};

}  // namespace quadgate
