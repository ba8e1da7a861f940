#pragma once

#include <string_view>

/// The names of all keys of a run file.
namespace quadgate::apps {

/// Whether a run file may have this key: "train.lr".
bool is_known_key(std::string_view key);

/// Whether a known key is in this table, or in a table of it: "train".
bool is_known_table(std::string_view table);

/// Throws InvalidArgument for a key that is not known. The message begins with `where` and names
/// the nearest known key.
[[noreturn]] void throw_unknown_key(std::string_view where, std::string_view key);

}  // namespace quadgate::apps
