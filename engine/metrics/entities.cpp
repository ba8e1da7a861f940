#include "engine/metrics/entities.h"

#include <algorithm>

namespace quadgate {
namespace {

const EntityTag kOutside;

/// Whether an entity that has the tag `before` as its last ends in front of `tag`.
bool ends(const EntityTag& before, const EntityTag& tag) {
  if (before.place == 'O') return false;
  const bool is_last = before.place == 'E' || before.place == 'S';
  const bool is_apart = tag.place == 'B' || tag.place == 'S' || tag.place == 'O';
  return is_last || is_apart || before.type != tag.type;
}

/// Whether an entity begins with `tag`.
bool begins(const EntityTag& before, const EntityTag& tag) {
  if (tag.place == 'O') return false;
  const bool is_first = tag.place == 'B' || tag.place == 'S';
  const bool is_apart = before.place == 'E' || before.place == 'S' || before.place == 'O';
  return is_first || is_apart || before.type != tag.type;
}

}  // namespace

std::optional<std::vector<EntityTag>> entity_tags(std::span<const std::string> class_names) {
  std::vector<EntityTag> tags;
  bool has_first = false;
  for (const std::string& name : class_names) {
    const bool is_outside = name == "O";
    const bool is_tag = name.size() > 2 && name[1] == '-' &&
                        std::string_view("BIES").find(name[0]) != std::string_view::npos;
    if (!is_outside && !is_tag) return {};
    has_first = has_first || name[0] == 'B' || name[0] == 'S';
    tags.push_back(is_outside ? kOutside : EntityTag{name[0], name.substr(2)});
  }
  if (!has_first) return {};
  return tags;
}

std::vector<EntityCounts::Entity> EntityCounts::find(std::span<const std::int64_t> classes) const {
  std::vector<Entity> entities;
  const EntityTag* before = &kOutside;
  std::size_t first = 0;
  for (std::size_t step = 0; step <= classes.size(); ++step) {
    const EntityTag& tag =
        step == classes.size() ? kOutside : tags_[static_cast<std::size_t>(classes[step])];
    if (ends(*before, tag)) entities.push_back({first, step - 1, before->type});
    if (begins(*before, tag)) first = step;
    before = &tag;
  }
  return entities;
}

void EntityCounts::add(std::span<const std::int64_t> labels,
                       std::span<const std::int64_t> predicted) {
  const auto counts_of = [&](std::string_view type) -> Counts& {
    const auto found = types_.find(type);
    return found != types_.end() ? found->second : types_[std::string(type)];
  };
  const std::vector<Entity> expected = find(labels);  // in order of their steps
  for (const Entity& entity : expected) ++counts_of(entity.type).support;
  for (const Entity& entity : find(predicted)) {
    Counts& counts = counts_of(entity.type);
    ++counts.predicted;
    counts.hits += std::binary_search(expected.begin(), expected.end(), entity) ? 1 : 0;
  }
}

void EntityCounts::add(const EntityCounts& other) {
  for (const auto& [type, counts] : other.types_) {
    Counts& sum = types_[type];
    sum.hits += counts.hits;
    sum.support += counts.support;
    sum.predicted += counts.predicted;
  }
}

EntityCounts::Counts EntityCounts::all() const {
  Counts sum;
  for (const auto& [type, counts] : types_) {
    sum.hits += counts.hits;
    sum.support += counts.support;
    sum.predicted += counts.predicted;
  }
  return sum;
}

}  // namespace quadgate
