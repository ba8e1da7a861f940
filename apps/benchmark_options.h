#pragma once

#include <optional>

#include "apps/bench/bench.h"
#include "apps/bench/scaling_run.h"
#include "apps/common/command.h"

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
}

namespace quadgate::apps {

/// Adds --threads.
void add_threads(CLI::App& app, std::optional<int>& threads);

/// Adds the subcommand `bench`, which fills `arguments` and, where it is chosen, `command`.
void add_bench(CLI::App& app, BenchArguments& arguments, Command& command);

/// Likewise `scale`.
void add_scale(CLI::App& app, ScalingArguments& arguments, Command& command);

}  // namespace quadgate::apps
