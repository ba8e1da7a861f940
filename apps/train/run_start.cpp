#include "apps/train/run_start.h"

#include <fmt/format.h>

#include <utility>

#include "apps/common/warn.h"
#include "apps/model/model_on_data.h"
#include "engine/base/error.h"
#include "engine/model/initialization.h"
#include "io/data/feature_view.h"

namespace quadgate::apps {
namespace {

/// Whether a model knows of its data more than numbers for names: one of another program does not.
bool knows_its_data(const DataDescription& data) {
  return is_standardized(data) || data.window || data.streams || !is_numbered(data.feature_names) ||
         !is_numbered(data.token_names) || !is_numbered(data.class_names);
}

/// A run that was stopped before its first checkpoint.
TrainingState begin_again(const RunConfig& config, const RunFolder& folder, const Origin& origin,
                          Dataset& data, Network& network) {
  expect_same_run(resumed_run(folder, origin), config);
  warn(fmt::format("{}: stopped before its first checkpoint; beginning at the start",
                   folder.path().string()));
  return begin(config, origin, data, network);
}

/// Fills the states that the next batch begins with. Throws FileError, naming the file, if they are
/// of another size.
void carry(const RecurrentStates& states, const std::string& name, std::int64_t batch_size,
           Trainer& trainer) {
  const auto size = RecurrentStates::sizes(trainer.network().config().rnn, batch_size);
  if (std::cmp_not_equal(states.h.size(), size.h) || std::cmp_not_equal(states.c.size(), size.c)) {
    throw FileError(
        fmt::format("{}: training: carried states: expected {} and {} values, found {} and {}",
                    name, size.h, size.c, states.h.size(), states.c.size()));
  }
  trainer.set_carried(states);
}

/// Throws DataError, naming the data and what differs, unless the run was trained on them.
void expect_same_data(const TrainingState& state, const DataIdentity& found, const Dataset& data,
                      const std::string& name) {
  if (!state.data || *state.data == found) return;
  std::string notes;
  for (const std::string& line : data.notes()) notes += fmt::format("; {}", line);
  throw DataError(fmt::format("{}: not the data that {} was trained on: {}{}", data.path().string(),
                              name, difference(*state.data, found), notes));
}

/// Throws FileError, naming the file, if the counters are not those of this run on these data.
void expect_possible(const TrainingState& state, const RunConfig::Train& config,
                     const std::string& name, Dataset& data) {
  const std::int64_t batches = (data.split("train").size() - 1) / config.batch_size + 1;
  const std::int64_t waits = config.optimizer.accumulate_steps;
  const auto updates = [&](std::int64_t batch) {
    return batch / waits + (batch == batches && batch % waits != 0 ? 1 : 0);
  };
  if (state.batch > batches) {
    throw FileError(fmt::format("{}: attribute 'training@batch': expected at most {}, found {}",
                                name, batches, state.batch));
  }
  const std::int64_t begun = state.step - updates(state.batch);
  if (begun < 0 || begun % updates(batches) != 0 || begun / updates(batches) != state.epoch) {
    throw FileError(fmt::format(
        "{}: attribute 'training@step': expected {} updates in each of {} epochs and {} "
        "in the next, found {}",
        name, updates(batches), state.epoch, updates(state.batch), state.step));
  }
}

}  // namespace

Origin open_origin(const RunConfig& config, const RunFolder& folder, bool resumes) {
  Origin origin;
  if (resumes && folder.has_checkpoint()) {
    origin.stored.emplace(open_whole_checkpoint(folder.checkpoint()));
    origin.model = origin.stored->checkpoint.description();
  } else if (!config.model.init.empty()) {
    origin.init.emplace(config.model.init);
    if (!origin.init->has_description()) return origin;  // weights that somebody wrote
    const ModelDescription model = origin.init->description();
    if (knows_its_data(model.data)) origin.model = model;
  }
  return origin;
}

RunConfig resumed_run(const RunFolder& folder, const Origin& origin) {
  if (!origin.stored) return read_run_config(folder.run_file());
  const Checkpoint& checkpoint = origin.stored->checkpoint;
  return parse_run_config(checkpoint.training_state().run_file, checkpoint.path().string());
}

TrainingState begin(const RunConfig& config, const Origin& origin, Dataset& data,
                    Network& network) {
  TrainingState state;
  state.seed = static_cast<std::uint64_t>(config.train.seed);
  state.data = identify(data);
  Parameters& parameters = network.parameters();
  const RecurrentConfig& rnn = network.config().rnn;
  parameters.initialize(state.seed, &network.arena());
  if (!origin.init) {
    if (config.model.orthogonal) {
      make_orthogonal(rnn, parameters, state.seed, &network.arena());
    }
    if (const auto bias = config.model.forget_bias) {
      set_forget_bias(rnn, parameters, static_cast<float>(*bias));
    }
    return state;
  }
  if (origin.model) expect_same_kind(*origin.model, data);
  const Checkpoint& init = *origin.init;
  init.has_head() ? init.load_parameters(parameters) : init.load_part(parameters);
  return state;
}

TrainingState resume(const RunConfig& config, const RunFolder& folder, const Origin& origin,
                     Dataset& data, Trainer& trainer) {
  if (!origin.stored) return begin_again(config, folder, origin, data, trainer.network());
  const Checkpoint& checkpoint = origin.stored->checkpoint;
  const std::string name = checkpoint.path().string();
  TrainingState state = checkpoint.training_state();
  expect_same_run(parse_run_config(state.run_file, name), config);
  expect_same_kind(*origin.model, data);
  const DataIdentity identity = identify(data);
  expect_same_data(state, identity, data, name);
  expect_possible(state, config.train, name, data);
  state.data = identity;
  Network& network = trainer.network();
  checkpoint.load_parameters(network.parameters());
  checkpoint.load_optimizer(network.parameters(), trainer.optimizer());
  if (trainer.optimizer().steps() != state.step) {
    throw FileError(
        fmt::format("{}: attribute 'optimizer@steps': expected {}, as in training, "
                    "found {}",
                    name, state.step, trainer.optimizer().steps()));
  }
  if (network.carried_states() != nullptr) {
    carry(state.carried, name, config.train.batch_size, trainer);
  }
  return state;
}

}  // namespace quadgate::apps
