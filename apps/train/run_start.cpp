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

/// Fills the states that the next batch begins with. Throws FileError, naming the file, if they are
/// of another size.
void carry(const RecurrentStates& from, const std::string& name, RecurrentStates& states) {
  if (from.h.size() != states.h.size() || from.c.size() != states.c.size()) {
    throw FileError(
        fmt::format("{}: training: carried states: expected {} and {} values, found {} and {}",
                    name, states.h.size(), states.c.size(), from.h.size(), from.c.size()));
  }
  states = from;
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
    const Checkpoint init(config.model.init);
    init.has_head() ? init.load_parameters(parameters) : init.load_part(parameters);
  }
  return state;
}

TrainingState resume(const RunConfig& config, const RunFolder& folder, const Dataset& data,
                     Trainer& trainer) {
  if (!folder.has_checkpoint()) return begin_again(config, folder, trainer.network());
  const auto [checkpoint, damage] = open_whole_checkpoint(folder.checkpoint());
  const std::string name = checkpoint.path().string();
  if (!damage.empty()) warn(fmt::format("{}; going on from the one before it, {}", damage, name));
  TrainingState state = checkpoint.training_state();
  expect_same_run(parse_run_config(state.run_file, name), config);
  expect_same_kind(checkpoint.description(), data);
  Network& network = trainer.network();
  checkpoint.load_parameters(network.parameters());
  checkpoint.load_optimizer(network.parameters(), trainer.optimizer());
  if (RecurrentStates* const states = network.carried_states()) {
    carry(state.carried, name, *states);
  }
  if (!damage.empty()) restore_previous_checkpoint(folder.checkpoint());
  return state;
}

}  // namespace quadgate::apps
