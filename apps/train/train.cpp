#include "apps/train/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <system_error>

#include "apps/common/command.h"
#include "apps/common/memory.h"
#include "apps/common/signals.h"
#include "apps/common/threads.h"
#include "apps/common/warn.h"
#include "apps/model/model_on_data.h"
#include "apps/train/memory_need.h"
#include "apps/train/run_config.h"
#include "apps/train/run_folder.h"
#include "apps/train/run_lock.h"
#include "apps/train/run_plan.h"
#include "apps/train/run_start.h"
#include "apps/train/training_run.h"
#include "engine/base/error.h"
#include "io/files/temporary_file.h"
#include "kernels/base/isa.h"

namespace quadgate::apps {
namespace {

std::int64_t longest(Dataset& data) {
  std::int64_t steps = 0;
  for (const std::string& name : data.split_names()) {
    steps = std::max(steps, data.split(name).max_len());
  }
  return steps;
}

void describe(const RunConfig& config, const Network& network, int threads, Dataset& data,
              const MemoryNeed& need) {
  std::string splits;
  for (const std::string& name : data.split_names()) {
    splits += fmt::format("{}{} {}", splits.empty() ? "" : ", ", data.split(name).size(), name);
  }
  const std::string vocabulary =
      data.vocabulary_size() > 0 ? fmt::format("{} tokens -> ", data.vocabulary_size()) : "";
  const std::optional<ConvConfig>& conv = network.config().conv;
  const std::string convolution =
      conv ? fmt::format(" -> conv {} x {}", conv->kernel_size, conv->channels) : "";
  std::size_t parameters = 0;
  for (const ParameterSlice& slice : network.parameters().slices()) {
    parameters += slice.size;
  }
  std::fputs(
      fmt::format("{}: {} sequences; {} {}{}{} -> {} x {}{} -> {}, {} parameters; {} threads, {}, "
                  "about {}\n",
                  config.data_text(), splits, to_string(config.model.cell), vocabulary,
                  network.config().input_size(), convolution, config.model.num_layers,
                  config.model.hidden_size, config.model.bidirectional ? ", bidirectional" : "",
                  data.output_size(), parameters, threads,
                  kernels::to_string(kernels::active_isa()), bytes_text(need.total()))
          .c_str(),
      stderr);
}

/// Warns of an order that is slow to read.
void advise(const RunConfig& config, Dataset& data) {
  if (!*config.train.shuffle || config.train.shuffle_buffer ||
      !data.split("train").wants_chunks()) {
    return;
  }
  warn(
      fmt::format("{} is compressed, and slow to read in any order; train.shuffle_buffer reads it "
                  "chunk by chunk",
                  config.data_text()));
}

/// The resolved run file must not take the place of the one that somebody wrote.
void expect_other_file(const std::filesystem::path& run_file, const RunFolder& folder) {
  std::error_code error;
  if (std::filesystem::equivalent(run_file, folder.run_file(), error)) {
    throw InvalidArgument(
        fmt::format("{}: output.dir: expected another folder than that of this "
                    "file, which the resolved run file would replace",
                    run_file.string()));
  }
}

/// Keeps other processes out of the folder, and clears away what stopped ones left there.
void take(std::optional<RunLock>& lock, const RunFolder& folder) {
  lock.emplace(folder.path());
  if (lock->warning().empty()) {
    remove_temporary_files(folder.path());
  } else {
    warn(lock->warning());
  }
}

}  // namespace

int train(const TrainArguments& arguments) {
  RunConfig config = read_run_config(arguments.run_file, arguments.overrides);
  const int threads = choose_threads(arguments.threads, config.train.threads);
  if (arguments.threads) {
    config.train.threads = threads;
  }
  const RunFolder folder(config.output_dir);
  std::optional<RunLock> lock;
  if (arguments.resume) {
    folder.expect_run();
    take(lock, folder);
  } else {
    expect_other_file(arguments.run_file, folder);
    folder.expect_no_run();
  }
  std::optional<Origin> origin = open_origin(config, folder, arguments.resume);
  const std::optional<Streams> streams = streams_of(config);
  Dataset data(config.data_paths(), config.window(), streams, config.train.loss.ignore_index,
               origin->data());
  complete(config, data);
  const ModelConfig model = model_of(config, data);
  validate(model);
  for (const std::string& name : data.split_names()) expect_lengths(model, data, name);
  const NetworkOptions options{.precision = config.model.precision,
                               .carries_states = streams.has_value()};
  const std::int64_t seq_len = longest(data);
  const Memory memory = memory_now();
  expect_room(least_memory_need(config, model), memory, config, model, seq_len);
  Arena arena(threads);
  Network network(model, seq_len, config.train.batch_size, arena, options);
  Trainer trainer(network, config.train.optimizer, static_cast<std::uint64_t>(config.train.seed));
  const MemoryNeed need = memory_need(config, options, data, trainer, seq_len, memory);
  // oneDNN writes to about half of the memory that it asks for.
  if (network.backend() == BackendKind::native) expect_room(need, memory, config, model, seq_len);

  TrainingState state = arguments.resume ? resume(config, folder, *origin, data, trainer)
                                         : begin(config, *origin, data, network);
  origin.reset();  // ends the process that reads it
  state.run_file = to_toml(config);
  for (const std::string& line : data.notes()) note(line);
  if (!arguments.resume) {
    folder.create();
    take(lock, folder);
    folder.expect_no_run();  // of another process since then
  }
  folder.write_run_file(state.run_file);
  if (arguments.resume) {
    folder.rewind_metrics(state.epoch, state.last_metrics);
  }
  catch_stop_signals();
  if (!arguments.quiet) {
    describe(config, network, threads, data, need);
  }
  advise(config, data);
  TrainingRun run(config, folder, data, trainer, std::move(state),
                  {.progress = !arguments.quiet, .json = arguments.json});
  return run.run() ? kExitDone : kExitStopped;
}

}  // namespace quadgate::apps
