#include "apps/train/run_start.h"

#include <fmt/format.h>

#include "apps/common/warn.h"
#include "apps/model/model_on_data.h"
#include "engine/base/error.h"
#include "engine/model/initialization.h"

namespace quadgate::apps {
namespace {

/// A run that was stopped before its first checkpoint.
TrainingState begin_again(const RunConfig& config, const RunFolder& folder, Network& network) {
  expect_same_run(read_run_config(folder.run_file(), {}), config);
  warn(fmt::format("{}: stopped before its first checkpoint; beginning at the start",
                   folder.path().string()));
  return begin(config, network);
}

}  // namespace

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

}  // namespace quadgate::apps
