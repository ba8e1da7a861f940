#include "apps/model/evaluation.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/base/error.h"

namespace quadgate::apps {

void expect_counting(const Metrics& metrics, std::string_view source) {
  if (metrics.weight > 0) return;
  throw DataError(
      fmt::format("{}: expected targets that count, found none: each is ignore_index or of class "
                  "weight 0",
                  source));
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
