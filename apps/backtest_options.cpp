#include "apps/backtest_options.h"

#include <CLI/CLI.hpp>

#include "apps/benchmark_options.h"

namespace quadgate::apps {

void add_backtest(CLI::App& app, BacktestArguments& arguments, Command& command) {
  CLI::App& backtest =
      *app.add_subcommand("backtest", "Train and evaluate a run file's model on folds of its data");
  backtest
      .add_option("run_file", arguments.run_file,
                  "Run file; the folds are folders in its [output] dir. Complete ones are skipped, "
                  "others go on")
      ->required()
      ->type_name("RUN.toml");
  backtest.add_option("--folds", arguments.folds, "Number of folds, 5 unless given")
      ->type_name("K");
  backtest
      .add_option("--set", arguments.overrides,
                  "Set a key of the run file, e.g. train.lr=1e-3; may be given many times")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  backtest
      .add_option("--test-size", arguments.test_size,
                  "Series: rows that each fold is tested on; else the rows of the shortest series "
                  "in K + 1 equal parts")
      ->type_name("ROWS");
  backtest
      .add_option("--gap", arguments.gap,
                  "Series: rows between training and test that are left out; 0 unless given")
      ->type_name("ROWS");
  backtest.add_flag("--sliding", arguments.sliding,
                    "Series: train each fold on as many rows as the first one has, not on all rows "
                    "before its test");
  backtest
      .add_option("--max-train-size", arguments.max_train_size,
                  "Series: likewise, on at most so many rows")
      ->type_name("ROWS");
  backtest
      .add_option("--seed", arguments.seed, "Sequences: of the draw of their folds; 1 unless given")
      ->type_name("N");
  backtest.add_flag("--no-shuffle", arguments.no_shuffle,
                    "Sequences: folds take rows in the order of the file");
  backtest
      .add_option("--jobs", arguments.jobs,
                  "Folds at a time; else as many as the cores have room for, a thread each unless "
                  "--threads or the run file says more")
      ->type_name("N");
  add_threads(backtest, arguments.threads);
  backtest.add_flag("--quiet", arguments.quiet, "No progress, only warnings and errors");
  backtest.add_flag("--json", arguments.json, "Print a JSON object instead of the table");
  backtest.callback([&] { command = [&] { return apps::backtest(arguments); }; });
}

}  // namespace quadgate::apps
