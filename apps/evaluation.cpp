#include "apps/evaluation.h"

#include "io/loader.h"

namespace quadgate::apps {

std::optional<Metrics> evaluate_split(Network& network, Split& split, std::int64_t batch_size,
                                      const std::function<bool()>& stop) {
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

std::vector<std::pair<std::string, double>> named_metrics(Task task, const Metrics& metrics) {
  if (task == Task::regression) {
    return {{"loss", metrics.mean_loss()},
            {"mse", metrics.mean_squared_error()},
            {"mae", metrics.mean_absolute_error()}};
  }
  return {{"loss", metrics.mean_loss()}, {"accuracy", metrics.accuracy()}};
}

}  // namespace quadgate::apps
