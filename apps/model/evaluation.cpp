#include "apps/model/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/base/error.h"
#include "io/data/loader.h"

namespace quadgate::apps {

std::optional<Metrics> evaluate_split(Network& network, Split& split, std::int64_t batch_size,
                                      const std::function<bool()>& stop) {
  reset_carried_states(network);
  Loader loader(split, batch_size);
  Metrics metrics;
  for (Batch batch; loader.next(batch);) {
    if (stop()) {
      return {};
    }
    metrics += network.evaluate(batch);
  }
  return metrics;
}

void expect_counting(const Metrics& metrics, std::string_view split) {
  if (metrics.weight > 0) return;
  throw DataError(
      fmt::format("split '{}': expected targets that count, found none: each is ignore_index or of "
                  "class weight 0",
                  split));
}

void reset_carried_states(Network& network) {
  if (RecurrentStates* const states = network.carried_states()) {
    std::ranges::fill(states->h, 0.0F);
    std::ranges::fill(states->c, 0.0F);
  }
}

std::vector<std::pair<std::string, double>> named_metrics(const ModelDescription& model,
                                                          const Metrics& metrics) {
  if (model.config.task == Task::regression) {
    return {{"loss", metrics.mean_loss()},
            {"mse", metrics.mean_squared_error()},
            {"mae", metrics.mean_absolute_error()}};
  }
  std::vector<std::pair<std::string, double>> named{{"loss", metrics.mean_loss()},
                                                    {"accuracy", metrics.accuracy()}};
  if (model.data.streams) named.emplace_back("perplexity", std::exp(metrics.mean_loss()));
  return named;
}

}  // namespace quadgate::apps
