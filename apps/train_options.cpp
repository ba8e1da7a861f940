#include "apps/train_options.h"

#include <CLI/CLI.hpp>

#include "apps/benchmark_options.h"

namespace quadgate::apps {

void add_train(CLI::App& app, TrainArguments& arguments, Command& command) {
  CLI::App& train = *app.add_subcommand("train", "Train a model as a run file says");
  train
      .add_option("run_file", arguments.run_file,
                  "Run file; relative paths in it are relative to the current folder")
      ->required()
      ->type_name("RUN.toml");
  train
      .add_option("--set", arguments.overrides,
                  "Set a key of the run file, e.g. train.lr=1e-3; may be given many times")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  add_threads(train, arguments.threads);
  train.add_flag("--resume", arguments.resume, "Go on from the checkpoint in [output] dir");
  train.add_flag("--quiet", arguments.quiet, "No progress and messages, only warnings and errors");
  train.add_flag("--json", arguments.json, "Print a JSON object a finished epoch to stdout");
  train.callback([&] { command = [&] { return apps::train(arguments); }; });
}

}  // namespace quadgate::apps
