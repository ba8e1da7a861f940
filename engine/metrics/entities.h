#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "engine/metrics/class_counts.h"

namespace quadgate {

/// A class of a tagging with entities: "B-PER" begins one of type PER, "I-PER" goes on with it,
/// "E-PER" ends it, "S-PER" is one alone, and "O" is outside.
struct EntityTag {
  char place = 'O';
  std::string type{};
};

/// The classes as such tags. None unless all are, and one of them begins an entity.
std::optional<std::vector<EntityTag>> entity_tags(std::span<const std::string> class_names);

/// Counts entities by type, with the definition of seqeval
/// (https://github.com/chakki-works/seqeval, its default mode, that of CoNLL's conlleval): a hit
/// has the same first and last step, and type.
class EntityCounts {
 public:
  struct Counts {
    std::int64_t hits = 0;
    std::int64_t support = 0;    ///< true entities
    std::int64_t predicted = 0;  ///< entities that the model tags
    ClassScore score() const noexcept { return score_of(hits, support, predicted); }
  };

  explicit EntityCounts(std::vector<EntityTag> tags) : tags_(std::move(tags)) {}

  /// Counts a sentence, a class a step.
  void add(std::span<const std::int64_t> labels, std::span<const std::int64_t> predicted);
  void add(const EntityCounts& other);

  /// Of each type that occurs.
  const std::map<std::string, Counts, std::less<>>& types() const noexcept { return types_; }
  /// Of all types together (seqeval's "micro avg").
  Counts all() const;

 private:
  struct Entity {
    std::size_t first;
    std::size_t last;
    std::string_view type;

    bool operator<(const Entity& other) const {
      return std::tie(first, last, type) < std::tie(other.first, other.last, other.type);
    }
  };
  std::vector<Entity> find(std::span<const std::int64_t> classes) const;

  std::vector<EntityTag> tags_;
  std::map<std::string, Counts, std::less<>> types_;
};

}  // namespace quadgate
