#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
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
#include <vector>

#include "apps/backtest/fold_program.h"
#include "apps/backtest_options.h"
#include "apps/benchmark_options.h"
#include "apps/common/command.h"
#include "apps/common/launch.h"
#include "apps/common/program.h"
#include "apps/common/signals.h"
#include "apps/common/standard_streams.h"
#include "apps/common/warn.h"
#include "apps/exchange_options.h"
#include "apps/model_options.h"
#include "apps/prepare_options.h"
#include "apps/text_options.h"
#include "apps/train_options.h"
#include "engine/base/error.h"
#include "engine/onednn/isa.h"
#include "io/hdf5/reader_command.h"
#include "io/hdf5/reader_program.h"
#include "kernels/base/isa.h"

namespace quadgate::apps {
namespace {

/// Caps the instruction set as QUADGATE_MAX_ISA says, to try the other code paths.
void cap_isa_from_environment() {
  const char* name = std::getenv("QUADGATE_MAX_ISA");
  if (name == nullptr) {
    return;
  }
  const auto cap = kernels::parse_isa(name);
  if (!cap) {
    throw InvalidArgument(fmt::format(
        "QUADGATE_MAX_ISA: expected scalar, avx2, avx512, avx512_bf16 or amx_bf16, found '{}'",
        name));
  }
  kernels::cap_isa(*cap);
  onednn::cap_isa(*cap);
}

/// The last of the subcommands that were given.
const CLI::App& innermost(const CLI::App& app) {
  const CLI::App* inner = &app;
  while (!inner->get_subcommands().empty()) {
    inner = inner->get_subcommands().front();
  }
  return *inner;
}

/// Throws InvalidArgument if the first word that `app` did not know stands for a subcommand.
void expect_known_subcommand(const CLI::App& app) {
  const CLI::App* inner = &innermost(app);
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

/// Throws ParseError at an option that the subcommand does not have. CLI11 takes the word behind it
/// for an input, and may tell of that one alone.
void expect_known_options(const CLI::App& app) {
  const std::vector<std::string> words = app.remaining(true);
  const auto unknown = std::ranges::find_if(
      words, [](const std::string& word) { return word.size() > 1 && word.front() == '-'; });
  if (unknown == words.end()) return;
  std::string command;
  for (const CLI::App* part = &innermost(app); part != &app; part = part->get_parent()) {
    command = " " + part->get_name() + command;
  }
  throw CLI::ParseError(fmt::format("{}: unknown option (quadgate{} --help lists the known ones)",
                                    unknown->substr(0, unknown->find('=')), command),
                        CLI::ExitCodes::ExtrasError);
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
  app.set_version_flag("--version", "quadgate " QUADGATE_VERSION, "Print the version and exit");
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
  } catch (const CLI::Success& help_or_version) {
    const int code = app.exit(help_or_version);
    flush_standard_output();
    return code;
  } catch (const CLI::ParseError&) {
    expect_known_subcommand(app);
    expect_known_options(app);
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
  if (argc > 2 && std::string_view(argv[1]) == quadgate::apps::kFoldCommand) {
    quadgate::apps::end_with(argv[2]);
    argc -= 2;
    argv += 2;
  }
  return quadgate::apps::run_and_report(argc, argv);
}
