#include "apps/model/baseline_loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "apps/model/baselines.h"
#include "engine/model/loss.h"
#include "io/data/loader.h"
#include "io/data/output_units.h"

namespace quadgate::apps {
namespace {

std::string text_of(Baseline baseline, const TrainStatistics& train) {
  switch (baseline) {
    case Baseline::last:
      return "repeating the last value";
    case Baseline::seasonal:
      return fmt::format("repeating the last {} rows", *train.season);
    case Baseline::mean:
      break;
  }
  return "the mean of the train rows";
}

}  // namespace

BaselineLoss best_baseline(const ModelConfig& model, std::span<const std::filesystem::path> paths,
                           Dataset& data, const std::string& split) {
  constexpr std::int64_t kRows = 256;
  Split& rows = data.split(split);
  Baselines baselines(data, rows, measure_train(paths, data.description(), {}));
  WindowUnits all_units(data.description(), rows, data.output_size());
  const Loss loss(model);
  std::vector<Metrics> sums(baselines.kinds().size());
  std::vector<float> outputs;
  std::int64_t first = 0;
  Loader loader(rows, std::min(kRows, rows.size()));
  for (Batch batch; loader.next(batch); first += batch.rows()) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      outputs.clear();
      for (const double value : baselines.forecast(baselines.kinds()[i], batch, first)) {
        const std::size_t row = outputs.size() / all_units.size();
        const std::size_t output = outputs.size() % all_units.size();
        const OutputUnits& units = all_units.of(first + static_cast<std::int64_t>(row));
        outputs.push_back(static_cast<float>((value - units.mean[output]) / units.std[output]));
      }
      sums[i] += loss.of_batch(batch, outputs);
    }
  }
  const auto best = std::ranges::min_element(sums, {}, &Metrics::mean_loss) - sums.begin();
  return {text_of(baselines.kinds()[static_cast<std::size_t>(best)], baselines.train()),
          sums[static_cast<std::size_t>(best)].mean_loss()};
}

}  // namespace quadgate::apps
