#pragma once

#include "apps/common/command.h"
#include "apps/train/train.h"

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
}

namespace quadgate::apps {

/// Adds the subcommand `train`, which fills `arguments` and, where it is chosen, `command`.
void add_train(CLI::App& app, TrainArguments& arguments, Command& command);

}  // namespace quadgate::apps
