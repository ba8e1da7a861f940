#include "apps/model/baselines.h"

#include <utility>

namespace quadgate::apps {

std::string_view to_string(Baseline baseline) noexcept {
  switch (baseline) {
    case Baseline::last:
      return "last";
    case Baseline::seasonal:
      return "seasonal";
    case Baseline::mean:
      break;
  }
  return "mean";
}

Baselines::Baselines(const Dataset& data, const Split& split, TrainStatistics train)
    : split_(split),
      train_(std::move(train)),
      units_(data.description(), split, data.output_size()),
      input_len_(data.description().window->input_len),
      horizon_(static_cast<std::size_t>(data.description().window->horizon)),
      width_(static_cast<std::size_t>(data.input_size())),
      columns_(target_columns(data.description())) {
  if (train_.season.value_or(1) > 1) kinds_.push_back(Baseline::seasonal);
  // Series of a split are those of the train split, in the same order, or others.
  if (train_.num_series != split.num_series()) train_.num_series = 0;
  if (train_.num_series > 0) kinds_.push_back(Baseline::mean);
}

std::span<const double> Baselines::forecast(Baseline baseline, const Batch& batch,
                                            std::int64_t first) {
  values_.clear();
  const auto season =
      static_cast<std::size_t>(baseline == Baseline::seasonal ? train_.season.value_or(1) : 1);
  const std::size_t targets = columns_.size();
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    const OutputUnits& units = units_.of(first + row);
    const auto end = static_cast<std::size_t>(row + 1) * static_cast<std::size_t>(input_len_);
    for (std::size_t i = 0; i < horizon_ * targets; ++i) {
      const std::size_t target = i % targets;
      if (baseline == Baseline::mean) {
        values_.push_back(train_.means[place(first + row, target)]);
        continue;
      }
      const std::size_t step = end - season + i / targets % season;
      const float value = batch.x[step * width_ + static_cast<std::size_t>(columns_[target])];
      values_.push_back(static_cast<double>(value) * units.std[i] + units.mean[i]);
    }
  }
  return values_;
}

double Baselines::scale(std::int64_t window, std::size_t target) const {
  return train_.num_series == 0 ? 0 : train_.scales[place(window, target)];
}

}  // namespace quadgate::apps
