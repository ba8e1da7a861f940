#pragma once

#include "apps/common/command.h"
#include "apps/model/generate.h"
#include "apps/model/score.h"
#include "apps/model/tag.h"

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
}

namespace quadgate::apps {

/// Adds the subcommand `generate`, which fills `arguments`, or those of its `--score`, and, where
/// it is chosen, `command`.
void add_generate(CLI::App& app, GenerateArguments& arguments, ScoreArguments& score_arguments,
                  Command& command);
/// Likewise `tag`.
void add_tag(CLI::App& app, TagArguments& arguments, Command& command);

}  // namespace quadgate::apps
