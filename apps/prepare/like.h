#pragma once

#include "apps/prepare/prepare.h"
#include "io/data/recipe.h"

namespace quadgate::apps {

/// Fills the options that `arguments` leave open as the data of `known` were read. Throws
/// InvalidArgument if others contradict them, or if `known` is for another task than files of that
/// kind, or does not tell the kind; DataError if an input is of another one.
void follow(const KnownData& known, PrepareArguments& arguments);

/// Throws DataError, naming file and column, if the rows of series are not as far from each other
/// as those of `known`. It tells of `step_back`, a row that is not in the order of time, if there
/// is one.
void expect_same_step(const KnownData& known, const Recipe& found,
                      const std::filesystem::path& input, const std::string& step_back = {});

/// What is assumed of times that say their zone, or do not, unlike those of `known`; or nothing.
std::string note_on_zones(const KnownData& known, const Recipe& found,
                          const std::filesystem::path& input);

}  // namespace quadgate::apps
