// How far back recurrent networks remember: the norms of gradients that reach back k steps, and
// trainings on problems of growing lag, as one JSON object on stdout. README.md tells the results.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "gradient.h"
#include "training.h"

namespace long_memory {
namespace {

using nlohmann::json;
using quadgate::Cell;

const std::vector<Model> kModels{
    {.name = "RNN (tanh)", .cell = Cell::rnn_tanh},
    {.name = "GRU", .cell = Cell::gru},
    {.name = "LSTM", .cell = Cell::lstm},
    {.name = "LSTM, forget bias 1", .cell = Cell::lstm, .forget_bias = 1.0F},
    {.name = "LSTM, forget bias 4", .cell = Cell::lstm, .forget_bias = 4.0F},
};

struct Settings {
  std::int64_t hidden_size = 64;
  std::int64_t reach = 300;           // steps to which the gradient is followed
  std::int64_t reach_sequences = 64;  // over which it is averaged, for each seed
  std::uint64_t reach_seeds = 5;
  std::vector<std::int64_t> lags{10, 30, 100, 300};
  std::int64_t reach_lag = 100;  // after training on it the gradient is looked at again
  Budget budget{.batch_size = 32, .updates = 3000, .check_every = 100, .lr = 3e-3};
  std::uint64_t seeds = 3;  // of the trainings; the longest lag has one, it takes longest
  int threads = 1;
};

/// Less of everything: half a minute.
void make_quick(Settings& settings) {
  settings.reach = 100;
  settings.reach_seeds = 2;
  settings.lags = {10, 30};
  settings.reach_lag = 30;
  settings.budget.updates = 1500;
  settings.seeds = 1;
}

json to_json(const GradientReach& reach) {
  return {{"state", reach.state}, {"h", reach.h}, {"c", reach.c}};
}

BatchStream reach_stream(const Settings& settings, std::uint64_t seed) {
  return {.problem = Problem::adding,
          .lag = settings.reach,
          .batch_size = settings.reach_sequences,
          .seed = seed};
}

GradientReach reach_of(const quadgate::Network& network, const BatchStream& stream,
                       quadgate::Arena& arena) {
  quadgate::Batch batch;
  stream.fill(0, batch);
  return gradient_reach(network.config(), network.parameters(), batch, arena);
}

/// At initialization, one entry a model and seed.
json initial_reach(const Settings& settings, quadgate::Arena& arena) {
  json entries = json::array();
  for (const Model& model : kModels) {
    const auto config = model_for(Problem::adding, model.cell, settings.hidden_size);
    for (std::uint64_t seed = 1; seed <= settings.reach_seeds; ++seed) {
      quadgate::Network network(config, 1, 1, arena);
      initialize(model, network, seed);
      json entry = to_json(reach_of(network, reach_stream(settings, seed), arena));
      entry["model"] = model.name;
      entry["seed"] = seed;
      entries.push_back(std::move(entry));
    }
    std::cerr << "gradient: " << model.name << '\n';
  }
  return entries;
}

/// One training, and how far its network's gradient reaches if this is a lag to look at.
json training(const Settings& settings, const Model& model, const BatchStream& stream,
              quadgate::Arena& arena) {
  const auto config = model_for(stream.problem, model.cell, settings.hidden_size);
  quadgate::Network network(config, seq_len(stream.problem, stream.lag), stream.batch_size, arena);
  initialize(model, network, stream.seed);
  const Outcome outcome = train(network, stream, settings.budget);
  std::fprintf(stderr, "%-7slag %4lld  %-20s loss %.4f  accuracy %5.1f %% after %lld updates\n",
               to_string(stream.problem), static_cast<long long>(stream.lag), model.name.c_str(),
               outcome.score.loss, 100 * outcome.score.accuracy,
               static_cast<long long>(outcome.updates));
  json entry{{"problem", to_string(stream.problem)},
             {"model", model.name},
             {"lag", stream.lag},
             {"seed", stream.seed},
             {"loss", outcome.score.loss},
             {"accuracy", outcome.score.accuracy},
             {"updates", outcome.updates}};
  if (stream.problem == Problem::adding && stream.lag == settings.reach_lag) {
    entry["reach"] = to_json(reach_of(network, reach_stream(settings, stream.seed), arena));
  }
  return entry;
}

json trainings(const Settings& settings, quadgate::Arena& arena) {
  json entries = json::array();
  for (const Problem problem : {Problem::adding, Problem::copy}) {
    for (const std::int64_t lag : settings.lags) {
      const std::uint64_t seeds = lag == settings.lags.back() ? 1 : settings.seeds;
      for (const Model& model : kModels) {
        for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
          const BatchStream stream{problem, lag, settings.budget.batch_size, seed};
          entries.push_back(training(settings, model, stream, arena));
        }
      }
    }
  }
  return entries;
}

/// All numbers of a small case of a model, for a comparison with another implementation.
json example(const Model& model, quadgate::Arena& arena) {
  const BatchStream stream{.problem = Problem::adding, .lag = 40, .batch_size = 3, .seed = 1};
  quadgate::Network network(model_for(Problem::adding, model.cell, 16), 1, 1, arena);
  initialize(model, network, 1);
  quadgate::Batch batch;
  stream.fill(0, batch);
  json entry = to_json(reach_of(network, stream, arena));
  entry["model"] = model.name;
  entry["cell"] = quadgate::to_string(model.cell);
  entry["x"] = batch.x;
  for (const auto& slice : network.parameters().slices()) {
    const auto& values = network.parameters().value(slice);
    entry["weights"][slice.name] = std::vector<float>(values.begin(), values.end());
  }
  return entry;
}

int run(const std::vector<std::string_view>& arguments) {
  Settings settings;
  bool examples = false;
  for (const auto argument : arguments) {
    const auto value = argument.substr(argument.find('=') + 1);
    if (argument == "--quick") {
      make_quick(settings);
    } else if (argument == "--examples") {
      examples = true;
    } else if (argument.starts_with("--threads=")) {
      settings.threads = std::atoi(value.data());
    } else if (argument.starts_with("--seeds=")) {
      settings.seeds = std::strtoull(value.data(), nullptr, 10);
    } else {
      throw quadgate::InvalidArgument(
          "expected --quick, --threads=K, --seeds=S or --examples, found '" +
          std::string(argument) + "'");
    }
  }
  if (settings.seeds == 0) throw quadgate::InvalidArgument("--seeds: expected at least 1");
  quadgate::Arena arena(settings.threads);
  json result;
  if (examples) {
    for (const Model& model : kModels) result.push_back(example(model, arena));
  } else {
    result["hidden_size"] = settings.hidden_size;
    result["reach_lag"] = settings.reach_lag;
    result["gradient"] = initial_reach(settings, arena);
    result["training"] = trainings(settings, arena);
  }
  std::cout << result.dump() << '\n';
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace long_memory

int main(int argc, char** argv) {
  try {
    return long_memory::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "long_memory: error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
