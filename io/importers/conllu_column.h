#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quadgate {

/// What of a word in a CoNLL-U file becomes its class.
enum class ConlluColumn : std::uint8_t {
  upos,   ///< one of the 17 universal tags
  xpos,   ///< a tag of the treebank's own
  feats,  ///< all its features, as they are written: "Case=Nom|Number=Sing"
  lemma,  ///< how FORM becomes LEMMA: see lemma_script
  ner,    ///< a named entity's tag out of MISC: see EntityTags
};

/// "UPOS", "XPOS", "FEATS", "LEMMA" or "NER".
std::string_view to_string(ConlluColumn column) noexcept;
/// The inverse of to_string; empty for any other text.
std::optional<ConlluColumn> parse_conllu_column(std::string_view text) noexcept;

/// MISC with a word's tag instead of what it has of entities, in NER= and Entity=: NER=tag, nothing
/// of "O".
std::string with_entity_tag(std::string_view misc, std::string_view tag);

/// The tags of named entities in MISC, sentence by sentence. `NER=B-PER` is the tag itself, and
/// words without one are "O". `Entity=(e1-person-1-Mary)` (CorefUD) opens and closes entities,
/// whose type stands where `# global.Entity = eid-etype-...` says: the outermost ones become
/// B-person, I-person and O. A file has one of the two. Names of keys may be in small letters.
class EntityTags {
 public:
  /// Reads a comment, "# ...".
  void read_comment(std::string_view line);
  /// The tag of the next word of a sentence. Throws InvalidArgument with the problem as text.
  std::string tag(std::string_view misc);
  /// Throws likewise if an entity is still open.
  void end_sentence();
  /// Whether any word had a key.
  bool found() const noexcept { return has_tags_ || has_brackets_; }

 private:
  std::string tag_of_brackets(std::string_view value);
  std::string type_of(std::string_view entity) const;

  std::optional<std::size_t> type_field_;  // of those that '-' divides; empty: no header
  std::int64_t open_ = 0;                  // entities, one in another
  std::string type_;                       // of the outermost
  bool begun_ = true;                      // a word has its B-
  bool has_tags_ = false;                  // NER=
  bool has_brackets_ = false;              // Entity=
};

}  // namespace quadgate
