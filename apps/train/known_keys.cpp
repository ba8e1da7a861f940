#include "apps/train/known_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "apps/common/nearest.h"
#include "apps/train/run_config_keys.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

std::vector<std::string_view> known_keys() {
  std::vector<std::string_view> keys;
  RunConfig config;
  visit_keys(config, [&](std::string_view key, const auto&, const auto&) { keys.push_back(key); });
  return keys;
}

/// Whether `key` is in `table` or in a table of it: "train.lr" in "train".
bool is_within(std::string_view key, std::string_view table) {
  return key.size() > table.size() && key.starts_with(table) && key[table.size()] == '.';
}

}  // namespace

bool is_known_key(std::string_view key) {
  const std::vector<std::string_view> known = known_keys();
  return std::ranges::find(known, key) != known.end();
}

bool is_known_table(std::string_view table) {
  const std::vector<std::string_view> known = known_keys();
  return std::ranges::any_of(known,
                             [&](std::string_view other) { return is_within(other, table); });
}

void throw_unknown_key(std::string_view where, std::string_view key) {
  const std::vector<std::string_view> known = known_keys();
  // A key in the wrong table, or in none, is nearest to its namesake, and a table that is given a
  // value, to its own first key.
  const std::string_view leaf = key.substr(key.rfind('.') + 1);
  const auto namesake = std::ranges::find_if(known, [&](std::string_view other) {
    return other.substr(other.rfind('.') + 1) == leaf || is_within(other, key);
  });
  throw InvalidArgument(fmt::format("{}: unknown key '{}', the nearest known one is '{}'", where,
                                    key,
                                    namesake != known.end() ? *namesake : nearest(key, known)));
}

}  // namespace quadgate::apps
