#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <system_error>

#include "apps/common/commands.h"
#include "apps/common/signals.h"
#include "apps/common/threads.h"
#include "apps/model/model_on_data.h"
#include "apps/train/run_config.h"
#include "apps/train/run_folder.h"
#include "apps/train/run_lock.h"
#include "apps/train/training_run.h"
#include "engine/base/error.h"
#include "engine/model/initialization.h"
#include "kernels/base/isa.h"

namespace quadgate::apps {
namespace {

/// Features of a step, or of an embedding's row.
std::int64_t input_size_of(const RunConfig& config, const Dataset& data) {
  const auto& size = config.model.embedding_size;
  const bool tokens = data.vocabulary_size() > 0;
  if (tokens != size.has_value() || (!tokens && config.model.padding_index)) {
    throw InvalidArgument(fmt::format("model.{}: expected {} a data set of {}",
                                      tokens || size ? "embedding_size" : "padding_index",
                                      tokens ? "an integer, at least 1, for" : "no such key for",
                                      tokens ? "tokens" : "features"));
  }
  return size.value_or(data.input_size());
}

std::optional<ConvConfig> conv_of(const RunConfig::Conv& conv, std::int64_t input_size) {
  if (!conv.channels) return {};
  return ConvConfig{input_size, *conv.channels, conv.kernel_size, conv.padding, conv.pool_size};
}

ModelConfig model_of(const RunConfig& config, const Dataset& data) {
  ModelConfig model;
  model.conv = conv_of(config.model.conv, input_size_of(config, data));
  model.rnn = {model.conv ? model.conv->channels : input_size_of(config, data),
               config.model.hidden_size, config.model.num_layers, config.model.bidirectional,
               config.model.dropout};
  model.rnn.cell = config.model.cell;
  model.rnn.proj_size = config.model.proj_size;
  model.rnn.bias = config.model.bias;
  model.rnn.input_dropout = config.model.input_dropout;
  model.rnn.output_dropout = config.model.output_dropout;
  model.rnn.locked_dropout = config.model.locked_dropout;
  model.rnn.weight_dropout = config.model.weight_dropout;
  model.task = data.task();
  model.output_size = data.output_size();
  model.pooling = config.model.pooling;
  model.loss = config.train.loss;
  model.embedding = {data.vocabulary_size(), config.model.padding_index,
                     config.model.tie_weights.value_or(false), config.model.sparse_embedding};
  return model;
}

std::int64_t longest(Dataset& data) {
  std::int64_t steps = 0;
  for (const std::string& name : data.split_names()) {
    steps = std::max(steps, data.split(name).max_len());
  }
  return steps;
}

/// How a language model reads its text, without a shuffle; empty for another data set. Settles the
/// keys that depend on it.
std::optional<Streams> streams_of(RunConfig& config) {
  constexpr std::int64_t kBpttLen = 35;
  const bool is_text = read_dataset_task(config.data.path.names.front()) == "language_model";
  const auto expect = [](bool holds, const char* problem) {
    if (!holds) throw InvalidArgument(problem);
  };
  expect(is_text || !config.model.tie_weights.value_or(false),
         "model.tie_weights: expected false but for a language_model, found true");
  expect(is_text || !config.train.bptt_len,
         "train.bptt_len: expected no such key but for a language_model");
  expect(!is_text || !config.train.shuffle.value_or(false),
         "train.shuffle: expected false for a language_model, found true");
  expect(!is_text || !config.model.bidirectional,
         "model.bidirectional: expected false for a language_model, found true");
  expect(!is_text || !config.model.conv.channels,
         "model.conv: expected none for a language_model, whose next tokens it would see, found "
         "one");
  expect(!is_text || !config.train.shuffle_buffer,
         "train.shuffle_buffer: expected no such key for a language_model");
  expect(!is_text || !config.train.bucket_by_length,
         "train.bucket_by_length: expected false for a language_model, found true");
  config.train.shuffle = config.train.shuffle.value_or(!is_text);
  if (!is_text) return {};
  config.train.bptt_len = config.train.bptt_len.value_or(kBpttLen);
  return Streams{config.train.batch_size, *config.train.bptt_len};
}

/// Fills the weights of a run that begins.
TrainingState begin(const RunConfig& config, Network& network) {
  TrainingState state;
  state.seed = static_cast<std::uint64_t>(config.train.seed);
  Parameters& parameters = network.parameters();
  const RecurrentConfig& rnn = network.config().rnn;
  parameters.initialize(state.seed);
  if (config.model.init.empty()) {
    if (config.model.orthogonal) make_orthogonal(rnn, parameters, state.seed);
    if (const auto bias = config.model.forget_bias) {
      set_forget_bias(rnn, parameters, static_cast<float>(*bias));
    }
  } else {
    has_head(config.model.init) ? load_parameters(config.model.init, parameters)
                                : load_part(config.model.init, parameters);
  }
  network.refresh();
  return state;
}

void warn(const std::string& line) {
  std::fputs(fmt::format("quadgate: warning: {}\n", line).c_str(), stderr);
}

/// A run that was stopped before its first checkpoint.
TrainingState begin_again(const RunConfig& config, const RunFolder& folder, Network& network) {
  expect_same_run(read_run_config(folder.run_file(), {}), config);
  warn(fmt::format("{}: stopped before its first checkpoint; beginning at the start",
                   folder.path().string()));
  return begin(config, network);
}

/// Fills weights and optimizer from the folder's newest whole checkpoint.
TrainingState resume(const RunConfig& config, const RunFolder& folder, const Dataset& data,
                     Trainer& trainer) {
  if (!folder.has_checkpoint()) return begin_again(config, folder, trainer.network());
  const WholeCheckpoint found = find_whole_checkpoint(folder.checkpoint());
  if (!found.damage.empty()) {
    warn(fmt::format("{}; going on from the one before it, {}", found.damage, found.path.string()));
  }
  const TrainingState before = read_training_state(found.path);
  expect_same_run(parse_run_config(before.run_file, found.path.string()), config);
  expect_same_kind(read_model_description(found.path), data);
  Network& network = trainer.network();
  load_parameters(found.path, network.parameters());
  network.refresh();
  TrainingState state = load_training_state(found.path, network.parameters(), trainer.optimizer());
  if (RecurrentStates* const states = network.carried_states()) {
    if (state.carried.h.size() != states->h.size() || state.carried.c.size() != states->c.size()) {
      throw FileError(
          fmt::format("{}: training: carried states: expected {} and {} values, found "
                      "{} and {}",
                      found.path.string(), states->h.size(), states->c.size(),
                      state.carried.h.size(), state.carried.c.size()));
    }
    *states = state.carried;
  }
  if (!found.damage.empty()) restore_previous_checkpoint(folder.checkpoint());
  return state;
}

/// "a.h5", or "a.h5 and 2 more".
std::string paths_text(const RunConfig& config) {
  const auto& names = config.data.path.names;
  return names.size() == 1 ? names[0] : fmt::format("{} and {} more", names[0], names.size() - 1);
}

void describe(const RunConfig& config, const Network& network, int threads, Dataset& data) {
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
  std::fputs(fmt::format(
                 "{}: {} sequences; {} {}{}{} -> {} x {}{} -> {}, {} parameters; {} threads, {}\n",
                 paths_text(config), splits, to_string(config.model.cell), vocabulary,
                 network.config().input_size(), convolution, config.model.num_layers,
                 config.model.hidden_size, config.model.bidirectional ? ", bidirectional" : "",
                 data.output_size(), parameters, threads, kernels::to_string(kernels::active_isa()))
                 .c_str(),
             stderr);
}

/// Fills the settings that follow from others and from the data.
void complete(RunConfig& config, Dataset& data) {
  const std::int64_t size = data.split("train").size();
  config.train.batch_size = std::min(config.train.batch_size, size);
  const std::int64_t batches = (size - 1) / config.train.batch_size + 1;
  complete_schedule(config, (batches - 1) / config.train.optimizer.accumulate_steps + 1);
  if (data.has_split("valid")) return;
  const auto refuse = [&](const char* key, std::string_view found) {
    throw InvalidArgument(fmt::format("{}: expected only with a valid split in {}, found {}", key,
                                      paths_text(config), found));
  };
  if (config.train.schedule.kind == ScheduleConfig::Kind::reduce_on_plateau) {
    refuse("train.schedule.kind", to_string(config.train.schedule.kind));
  }
  if (config.train.early_stopping_patience) {
    refuse("train.early_stopping_patience", std::to_string(*config.train.early_stopping_patience));
  }
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
                  paths_text(config)));
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
    lock.emplace(folder.path());
  } else {
    expect_other_file(arguments.run_file, folder);
    folder.expect_no_run();
  }
  const std::optional<Streams> streams = streams_of(config);
  Dataset data(config.data_paths(), config.window(), streams, config.train.loss.ignore_index);
  complete(config, data);
  const ModelConfig model = model_of(config, data);
  validate(model);
  for (const std::string& name : data.split_names()) expect_lengths(model, data, name);
  Arena arena(threads);
  Network network(model, longest(data), config.train.batch_size, arena,
                  {.precision = config.model.precision, .carries_states = streams.has_value()});
  Trainer trainer(network, config.train.optimizer, static_cast<std::uint64_t>(config.train.seed));

  TrainingState state =
      arguments.resume ? resume(config, folder, data, trainer) : begin(config, network);
  state.run_file = to_toml(config);
  if (!arguments.resume) {
    folder.create();
    lock.emplace(folder.path());
    folder.expect_no_run();  // of another process since then
  }
  folder.write_run_file(state.run_file);
  if (arguments.resume) {
    folder.rewind_metrics(state.epoch, state.last_metrics);
  }
  catch_stop_signals();
  if (!arguments.quiet) {
    describe(config, network, threads, data);
  }
  advise(config, data);
  TrainingRun run(config, folder, data, trainer, std::move(state),
                  {.progress = !arguments.quiet, .json = arguments.json});
  return run.run() ? kExitDone : kExitStopped;
}

}  // namespace quadgate::apps
