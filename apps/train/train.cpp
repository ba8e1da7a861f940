#include "apps/train/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <system_error>

#include "apps/common/command.h"
#include "apps/common/memory.h"
#include "apps/common/ranks.h"
#include "apps/common/signals.h"
#include "apps/common/threads.h"
#include "apps/common/warn.h"
#include "apps/model/model_on_data.h"
#include "apps/train/memory_need.h"
#include "apps/train/monitor.h"
#include "apps/train/run_config.h"
#include "apps/train/run_folder.h"
#include "apps/train/run_lock.h"
#include "apps/train/run_plan.h"
#include "apps/train/run_start.h"
#include "apps/train/training_run.h"
#include "engine/base/error.h"
#include "engine/training/sharded_network.h"
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
              const MemoryNeed& need, const cluster::Communicator& communicator) {
  std::string splits;
  for (const std::string& name : data.split_names()) {
    splits += fmt::format("{}{} {}", splits.empty() ? "" : ", ", data.split(name).size(), name);
  }
  const std::string vocabulary =
      data.vocabulary_size() > 0 ? fmt::format("{} tokens -> ", data.vocabulary_size()) : "";
  const std::optional<ConvConfig>& conv = network.config().conv;
  const std::string convolution =
      conv ? fmt::format(" -> conv {} x {}", conv->kernel_size, conv->channels) : "";
  const NormalizationConfig& normalization = network.config().normalization;
  const std::string normalized =
      normalization.residual ? " + last values"
      : normalization.changes_features()
          ? fmt::format(", normalized by {}", to_string(normalization.kind))
          : "";
  std::size_t parameters = 0;
  for (const ParameterSlice& slice : network.parameters().slices()) {
    parameters += slice.size;
  }
  tell(fmt::format(
      "{}: {} sequences; {} {}{}{} -> {} x {}{} -> {}{}, {} parameters; {} threads, {}, "
      "{}, about {}",
      config.data_text(), splits, to_string(config.model.cell), vocabulary,
      network.config().input_size(), convolution, config.model.num_layers, config.model.hidden_size,
      config.model.bidirectional ? ", bidirectional" : "", network.config().output_size, normalized,
      parameters, threads, to_string(network.backend()), kernels::to_string(kernels::active_isa()),
      bytes_text(need.total())));
  if (!config.train.grad_shards) return;
  tell(fmt::format("{}; grad_shards = {}: the same bits at 1 to {} ranks",
                   communicator.world_size() == 1
                       ? "1 rank"
                       : fmt::format("{} ranks", communicator.world_size()),
                   *config.train.grad_shards, *config.train.grad_shards));
}

/// Throws InvalidArgument unless all ranks begin at the same place of the same run on the same
/// data.
void expect_same_start(Ranks& ranks, const TrainingState& state) {
  ranks.expect_same("the run file", state.run_file);
  ranks.expect_same("the data", fmt::format("{} {} {}", state.data->train_rows,
                                            state.data->valid_rows, state.data->checksum));
  ranks.expect_same("the checkpoint", fmt::format("{} {}", state.epoch, state.step));
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

/// Sees that the run may have its folder, before it reads anything. Of several ranks, only the
/// first one uses the folder.
void enter(const RunFolder& folder, const TrainArguments& arguments, bool is_first,
           std::optional<RunLock>& lock) {
  if (arguments.resume) folder.expect_run();
  if (!is_first) return;
  if (arguments.resume) {
    take(lock, folder);
  } else {
    expect_other_file(arguments.run_file, folder);
    folder.expect_no_run();
  }
}

/// Writes what a run begins with, or puts right what a stopped one left.
void settle(const RunFolder& folder, const Origin& origin, bool resumes, const TrainingState& state,
            std::optional<RunLock>& lock) {
  if (!resumes) {
    folder.create();
    take(lock, folder);
    folder.expect_no_run();  // of another process since then
  } else if (origin.stored && !origin.stored->damage.empty()) {
    warn(fmt::format("{}; going on from the one before it, {}", origin.stored->damage,
                     origin.stored->checkpoint.path().string()));
    restore_previous_checkpoint(folder.checkpoint());
  }
  folder.write_run_file(state.run_file);
  if (resumes) folder.rewind_metrics(state.epoch, state.last_metrics);
}

/// Trains as one of the ranks of a run, or alone, where `ranks` is null.
int train_on(Ranks* ranks, const TrainArguments& arguments) {
  const bool is_first = ranks == nullptr || ranks->is_first();
  cluster::Communicator alone;
  cluster::Communicator& communicator = ranks == nullptr ? alone : ranks->communicator();
  RunConfig config =
      arguments.run_text
          ? parse_run_config(*arguments.run_text, arguments.run_file.string(), arguments.overrides)
          : read_run_config(arguments.run_file, arguments.overrides);
  const int threads = ranks == nullptr
                          ? choose_threads(arguments.threads, config.train.threads)
                          : ranks->choose_threads(arguments.threads, config.train.threads);
  if (arguments.threads) {
    config.train.threads = threads;
  }
  const RunFolder folder(config.output_dir);
  std::optional<RunLock> lock;
  enter(folder, arguments, is_first, lock);
  std::optional<Origin> origin = open_origin(config, folder, arguments.resume);
  const std::optional<Streams> streams = streams_of(config);
  Dataset data(config.data_paths(), config.window(), streams, config.train.loss.ignore_index,
               origin->data());
  for (const std::string& name : data.split_names()) data.split(name);  // each has targets
  complete(config, data);
  const std::optional<RunConfig> resumed =
      arguments.resume ? std::optional(resumed_run(folder, *origin)) : std::nullopt;
  const std::int64_t shards =
      complete_shards(config, resumed ? &*resumed : nullptr, communicator.world_size());
  const ModelConfig model = model_of(config, data);
  validate(model);
  for (const std::string& name : data.split_names()) expect_lengths(model, data, name);
  const ModelDescription description{model, data.description()};
  std::optional<Monitor> monitor;
  if (!config.train.monitor.empty()) {
    monitor.emplace(config.train.monitor, description, data, config.data_paths());
  }
  const NetworkOptions options{.precision = config.model.precision,
                               .arithmetic = config.model.arithmetic,
                               .carries_states = streams.has_value()};
  const std::int64_t seq_len = longest(data);
  const Memory memory = memory_now();
  expect_room(least_memory_need(config, model), memory, config, model, seq_len);
  Arena arena(threads, choose_pinning(threads));
  Network network(model, seq_len, ShardedNetwork::shard_rows(config.train.batch_size, shards),
                  arena, options);
  std::optional<ShardedNetwork> sharded;
  if (shards > 1) sharded.emplace(network, communicator, config.train.batch_size, shards);
  Trainer trainer(network, config.train.optimizer, static_cast<std::uint64_t>(config.train.seed),
                  sharded ? &*sharded : nullptr);
  RunConfig pass = config;
  pass.train.batch_size = ShardedNetwork::shard_rows(config.train.batch_size, shards);
  const MemoryNeed need = memory_need(pass, options, data, trainer, seq_len, memory);
  expect_room(need, memory, config, model, seq_len);

  TrainingState state = arguments.resume ? resume(config, folder, *origin, data, trainer)
                                         : begin(config, *origin, data, network);
  state.run_file = to_toml(config);
  if (ranks != nullptr) expect_same_start(*ranks, state);
  for (const std::string& line : data.notes()) note(line);
  if (is_first) settle(folder, *origin, arguments.resume, state, lock);
  origin.reset();  // ends the process that reads it
  catch_stop_signals();
  if (!arguments.quiet && is_first) describe(config, network, threads, data, need, communicator);
  if (is_first) advise(config, data);
  TrainingRun run(
      config, folder, data, trainer, std::move(state), monitor ? &*monitor : nullptr,
      {.progress = !arguments.quiet, .json = arguments.json, .on_epoch = arguments.on_epoch});
  return run.run() ? kExitDone : kExitStopped;
}

}  // namespace

int train(const TrainArguments& arguments) {
  return Ranks::work([&](Ranks* ranks) { return train_on(ranks, arguments); });
}

int train_alone(const TrainArguments& arguments) { return train_on(nullptr, arguments); }

}  // namespace quadgate::apps
