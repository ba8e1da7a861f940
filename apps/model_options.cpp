#include "apps/model_options.h"

#include <CLI/CLI.hpp>
#include <cstdint>

#include "apps/benchmark_options.h"
#include "apps/common/output_file.h"
#include "apps/model/inspect.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

/// The options that evaluate and predict share.
template <typename Arguments>
void add_model_on_data(CLI::App& app, Arguments& arguments, const char* split_help) {
  app.add_option("checkpoint", arguments.checkpoint, "Checkpoint of the model")
      ->required()
      ->type_name("CHECKPOINT");
  CLI::Option* data =
      app.add_option("--data", arguments.data, "Data set; once for each of its files")
          ->allow_extra_args(false)
          ->type_name("DATA.h5");
  app.add_option("--input", arguments.input,
                 "Raw file instead of a data set, read as those that the model was trained on; - "
                 "is stdin")
      ->excludes(data)
      ->type_name("FILE");
  app.add_option("--split", arguments.split, split_help)->type_name("NAME");
  add_threads(app, arguments.threads);
}

/// Throws InvalidArgument unless there is a data set or a raw file.
template <typename Arguments>
void expect_some_data(const Arguments& arguments) {
  if (!arguments.data.empty() || !arguments.input.empty()) return;
  throw InvalidArgument("--data is required, or --input");
}

}  // namespace

void add_evaluate(CLI::App& app, EvaluateArguments& arguments, Command& command) {
  CLI::App& evaluate =
      *app.add_subcommand("evaluate", "Print a model's loss and metrics on a data set");
  add_model_on_data(evaluate, arguments, "Split of the data set; else test, or the only one");
  evaluate
      .add_option("--by", arguments.by,
                  "Print a table as well, which --json has all of: class, confusion, entity, "
                  "baseline, target, step or series; "
                  "may be given many times")
      ->allow_extra_args(false)
      ->type_name("TABLE");
  evaluate
      .add_option(
          "--season", arguments.season,
          "Rows of a season, for the seasonal baseline and the scale of mase; else what the "
          "train split's autocorrelation tells")
      ->type_name("P");
  evaluate
      .add_option("--top-k", arguments.top_k,
                  "Tell how often the class is one of the K likeliest; 5 unless given")
      ->type_name("K");
  evaluate.add_flag("--json", arguments.json, "Print a JSON object");
  evaluate.callback([&] {
    command = [&] {
      expect_some_data(arguments);
      apps::evaluate(arguments);
      return kExitDone;
    };
  });
}

void add_predict(CLI::App& app, PredictArguments& arguments, Command& command) {
  CLI::App& predict = *app.add_subcommand(
      "predict", "Write a model's predictions, with class names or in original units");
  add_model_on_data(
      predict, arguments,
      "Split of the data set; else, of a forecast, what comes after the last rows, of "
      "others test, or the only one");
  predict
      .add_option("--future", arguments.future,
                  "Table of the rows behind those of --input, with the columns that are known "
                  "beforehand")
      ->type_name("FILE");
  predict
      .add_option("-o,--output", arguments.output,
                  "File to write: .csv, .h5 or, of forecasts, .html, a page with plots; - is "
                  "stdout, where a "
                  "pipe as --input is answered as it comes")
      ->required()
      ->type_name("OUT");
  predict
      .add_option(
          "--steps", arguments.steps,
          "Rows to forecast behind the last one; beyond the model's horizon it goes on from "
          "its own forecasts")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}))
      ->type_name("K");
  predict.add_flag("--wide", arguments.wide, "Forecasts as a row a time and a column a target");
  predict
      .add_option("--quantiles", arguments.quantiles,
                  "Quantiles to tell of forecasts with bands, 0.05,0.95 say; else those that the "
                  "model was trained for, or 0.1, 0.5 and 0.9 of its distribution")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("Q,...");
  predict.add_flag("--windows", arguments.windows,
                   "Forecasts of all windows of the past, with the truth, instead of the future");
  predict.add_flag("--probabilities", arguments.probabilities,
                   "The probabilities of all classes, a column each");
  predict.add_flag("--force", arguments.force, kForceHelp);
  predict.callback([&] {
    command = [&] {
      expect_some_data(arguments);
      apps::predict(arguments);
      return kExitDone;
    };
  });
}

void add_inspect(CLI::App& app, std::filesystem::path& file, Command& command) {
  CLI::App& inspect =
      *app.add_subcommand("inspect", "Print what a data set or checkpoint file holds");
  inspect.add_option("file", file, "Data set or checkpoint")->required()->type_name("FILE");
  inspect.callback([&] {
    command = [&] {
      apps::inspect(file);
      return kExitDone;
    };
  });
}

}  // namespace quadgate::apps
