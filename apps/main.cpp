#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "apps/backtest_options.h"
#include "apps/benchmark_options.h"
#include "apps/common/command.h"
#include "apps/common/launch.h"
#include "apps/common/output_file.h"
#include "apps/common/program.h"
#include "apps/common/signals.h"
#include "apps/common/standard_streams.h"
#include "apps/common/warn.h"
#include "apps/exchange_options.h"
#include "apps/model/evaluate.h"
#include "apps/model/inspect.h"
#include "apps/model/predict.h"
#include "apps/prepare_options.h"
#include "apps/text_options.h"
#include "apps/train/train.h"
#include "engine/base/error.h"
#include "engine/onednn/isa.h"
#include "io/hdf5/reader_command.h"
#include "io/hdf5/reader_program.h"
#include "kernels/base/isa.h"

namespace quadgate::apps {
namespace {

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
      .add_option(
          "-o,--output", arguments.output,
          "File to write: .csv, .h5 or, of forecasts, .html, a page with plots; - is stdout")
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

/// Caps the instruction set as QUADGATE_MAX_ISA says, to try the other code paths.
void cap_isa_from_environment() {
  const char* name = std::getenv("QUADGATE_MAX_ISA");
  if (name == nullptr) {
    return;
  }
  const auto cap = kernels::parse_isa(name);
  if (!cap) {
    throw InvalidArgument(fmt::format(
        "QUADGATE_MAX_ISA: expected scalar, avx2, avx512 or avx512_bf16, found '{}'", name));
  }
  kernels::cap_isa(*cap);
  onednn::cap_isa(*cap);
}

/// Throws InvalidArgument if the first word that `app` did not know stands for a subcommand.
void expect_known_subcommand(const CLI::App& app) {
  const CLI::App* inner = &app;
  while (!inner->get_subcommands().empty()) {
    inner = inner->get_subcommands().front();
  }
  const auto unknown = app.remaining(true);
  if (inner->get_require_subcommand_min() == 0 || unknown.empty()) {
    return;
  }
  std::string known;
  for (const CLI::App* subcommand : inner->get_subcommands(nullptr)) {
    known += (known.empty() ? "" : ", ") + subcommand->get_name();
  }
  throw InvalidArgument(
      fmt::format("{}: expected one of {}, found '{}'", inner->get_name(), known, unknown.front()));
}

/// What was typed, as a shell takes it; the program by its name only.
std::string command_line(int argc, char** argv) {
  std::string line = "quadgate";
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word.empty() || word.find_first_of(" \t\n\"'$&*;<>?\\`|()[]{}#~!") != std::string::npos) {
      for (std::size_t quote = word.find('\''); quote != std::string::npos;
           quote = word.find('\'', quote + 4)) {
        word.replace(quote, 1, "'\\''");
      }
      word = "'" + word + "'";
    }
    line += " " + word;
  }
  return line;
}

int run(int argc, char** argv) {
  cap_isa_from_environment();
  announce_stop_signals();
  // A file that grows too large is an error like a full disk, not the end of the program.
  std::signal(SIGXFSZ, SIG_IGN);

  CLI::App app("quadgate trains LSTMs on CPUs", "quadgate");
  app.require_subcommand(1);
  Command command;
  PrepareArguments prepare_arguments;
  TrainArguments train_arguments;
  BacktestArguments backtest_arguments;
  EvaluateArguments evaluate_arguments;
  PredictArguments predict_arguments;
  GenerateArguments generate_arguments;
  ScoreArguments score_arguments;
  TagArguments tag_arguments;
  ExportArguments export_arguments;
  ImportArguments import_arguments;
  std::filesystem::path inspect_file;
  BenchArguments bench_arguments;
  ScalingArguments scaling_arguments;
  add_prepare(app, prepare_arguments, command);
  add_train(app, train_arguments, command);
  add_backtest(app, backtest_arguments, command);
  add_evaluate(app, evaluate_arguments, command);
  add_predict(app, predict_arguments, command);
  add_generate(app, generate_arguments, score_arguments, command);
  add_tag(app, tag_arguments, command);
  add_export(app, export_arguments, command);
  add_import(app, import_arguments, command);
  add_inspect(app, inspect_file, command);
  add_bench(app, bench_arguments, command);
  add_scale(app, scaling_arguments, command);
  scaling_arguments.command_line = command_line(argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    const int code = app.exit(help);
    flush_standard_output();
    return code;
  } catch (const CLI::RequiredError&) {
    expect_known_subcommand(app);
    throw;
  }
  const int code = command();
  flush_standard_output();
  return code;
}

/// Prints the one line of an error.
int fail(std::string_view message, int code) {
  std::fputs(fmt::format("quadgate: error: {}\n", one_line(message)).c_str(), stderr);
  return code;
}

/// A launcher gives all ranks the same words: the first one speaks, and is not ended before it has.
int fail_to_parse(std::string_view message) {
  if (is_first(environment())) return fail(message, kExitWrongUse);
  be_quiet();
  std::this_thread::sleep_for(kTurn);
  return kExitWrongUse;
}

int run_and_report(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const StopRequest&) {
    end_by_signal();
  } catch (const CLI::Error& error) {
    return fail_to_parse(error.what());
  } catch (const InvalidArgument& error) {
    return fail(error.what(), kExitWrongUse);
  } catch (const std::bad_alloc&) {
    return fail("out of memory", kExitFailed);
  } catch (const std::length_error&) {
    return fail("out of memory", kExitFailed);
  } catch (const std::exception& error) {
    return fail(error.what(), kExitFailed);
  }
}

int read_hdf5(int argc, char** argv) {
  if (hdf5::run_reader(argc, argv)) return kExitDone;
  return fail("read-hdf5: quadgate starts it itself, to read HDF5 files", kExitWrongUse);
}

}  // namespace
}  // namespace quadgate::apps

int main(int argc, char** argv) {
  quadgate::apps::hold_standard_streams();
  // This program is also the one that reads HDF5 files for it.
  if (argc > 1 && std::string_view(argv[1]) == quadgate::hdf5::kReaderCommand) {
    return quadgate::apps::read_hdf5(argc, argv);
  }
  quadgate::hdf5::set_reader_program(quadgate::apps::this_program());
  return quadgate::apps::run_and_report(argc, argv);
}
