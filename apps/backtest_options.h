#pragma once

#include "apps/backtest/backtest.h"
#include "apps/common/command.h"

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
}

namespace quadgate::apps {

/// Adds the subcommand `backtest`, which fills `arguments` and, where it is chosen, `command`.
void add_backtest(CLI::App& app, BacktestArguments& arguments, Command& command);

}  // namespace quadgate::apps
