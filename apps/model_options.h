#pragma once

#include <filesystem>

#include "apps/common/command.h"
#include "apps/model/evaluate.h"
#include "apps/model/predict.h"

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
}

namespace quadgate::apps {

/// Adds the subcommand `evaluate`, which fills `arguments` and, where it is chosen, `command`.
void add_evaluate(CLI::App& app, EvaluateArguments& arguments, Command& command);
/// Likewise `predict`.
void add_predict(CLI::App& app, PredictArguments& arguments, Command& command);
/// Likewise `inspect`, of a data set or a model.
void add_inspect(CLI::App& app, std::filesystem::path& file, Command& command);

}  // namespace quadgate::apps
