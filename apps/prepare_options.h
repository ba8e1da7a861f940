#pragma once

#include "apps/common/command.h"
#include "apps/prepare/prepare.h"

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
}

namespace quadgate::apps {

/// Adds the subcommand `prepare` with its kinds, which fills `arguments` and, where it is chosen,
/// `command`.
void add_prepare(CLI::App& app, PrepareArguments& arguments, Command& command);

}  // namespace quadgate::apps
