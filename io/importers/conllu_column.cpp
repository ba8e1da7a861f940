#include "io/importers/conllu_column.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/base/error.h"
#include "io/importers/text.h"

namespace quadgate {
namespace {

constexpr std::array kColumns{ConlluColumn::upos, ConlluColumn::xpos, ConlluColumn::feats,
                              ConlluColumn::lemma, ConlluColumn::ner};

/// Whether a key is `name`, which is in small letters, whatever its letters are.
bool is_key(std::string_view key, std::string_view name) {
  return std::ranges::equal(key, name, [](char a, char b) {
    return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b);
  });
}

/// The value of a key of MISC; empty if there is none.
std::string_view value_of(std::string_view misc, std::string_view name) {
  while (!misc.empty()) {
    std::string_view value = cut(misc, '|');
    if (is_key(cut(value, '='), name)) return value;
  }
  return {};
}

}  // namespace

std::string_view to_string(ConlluColumn column) noexcept {
  switch (column) {
    case ConlluColumn::upos:
      return "UPOS";
    case ConlluColumn::xpos:
      return "XPOS";
    case ConlluColumn::feats:
      return "FEATS";
    case ConlluColumn::lemma:
      return "LEMMA";
    case ConlluColumn::ner:
      break;
  }
  return "NER";
}

std::optional<ConlluColumn> parse_conllu_column(std::string_view text) noexcept {
  for (const ConlluColumn column : kColumns) {
    if (text == to_string(column)) return column;
  }
  return {};
}

std::string with_entity_tag(std::string_view misc, std::string_view tag) {
  std::string kept;
  while (!misc.empty()) {
    const std::string_view item = cut(misc, '|');
    std::string_view value = item;
    const std::string_view key = cut(value, '=');
    if (item == "_" || is_key(key, "ner") || is_key(key, "entity")) continue;
    kept += kept.empty() ? "" : "|";
    kept += item;
  }
  if (tag != "O") kept += fmt::format("{}NER={}", kept.empty() ? "" : "|", tag);
  return kept.empty() ? "_" : kept;
}

void EntityTags::read_comment(std::string_view line) {
  line.remove_prefix(1);
  if (trim(cut(line, '=')) != "global.Entity") return;
  type_field_.reset();
  line = trim(line);
  for (std::size_t i = 0; !line.empty(); ++i) {
    const std::string_view field = cut(line, '-');
    if (field == "etype" || field == "entity") type_field_ = i;
  }
}

std::string EntityTags::tag(std::string_view misc) {
  const std::string_view tag = value_of(misc, "ner");
  const std::string_view brackets = value_of(misc, "entity");
  has_tags_ = has_tags_ || !tag.empty();
  has_brackets_ = has_brackets_ || !brackets.empty();
  if (has_tags_ && has_brackets_) {
    throw InvalidArgument("MISC: expected NER=... or Entity=... in a file, found both");
  }
  if (!has_tags_) return tag_of_brackets(brackets);
  return tag.empty() ? "O" : std::string(tag);
}

std::string EntityTags::tag_of_brackets(std::string_view value) {
  std::string tag = open_ > 0 ? (begun_ ? "I-" : "B-") + type_ : "O";
  begun_ = true;
  while (!value.empty()) {
    const std::size_t end = std::min(value.find_first_of("()", 1), value.size());
    if (value.front() == '(' && ++open_ == 1) {
      type_ = type_of(value.substr(1, end - 1));
      begun_ = tag == "O";
      if (begun_) tag = "B-" + type_;
    } else if (value.front() == ')' && --open_ < 0) {
      throw InvalidArgument("Entity: expected an entity that is open, found ')'");
    }
    value.remove_prefix(end);
  }
  return tag;
}

/// Of what stands behind '('.
std::string EntityTags::type_of(std::string_view entity) const {
  if (!type_field_) {
    throw InvalidArgument(
        "Entity: expected a comment '# global.Entity = eid-etype-...' above, which says where "
        "types are, found none");
  }
  for (std::size_t i = 0; i < *type_field_; ++i) cut(entity, '-');
  const std::string_view type = cut(entity, '-');
  return type.empty() ? "_" : std::string(type);
}

void EntityTags::end_sentence() {
  if (open_ == 0) return;
  const std::string problem = fmt::format(
      "Entity: expected the end of '{}' before that of the sentence, found none", type_);
  open_ = 0;
  throw InvalidArgument(problem);
}

}  // namespace quadgate
