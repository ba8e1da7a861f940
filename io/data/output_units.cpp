#include "io/data/output_units.h"

#include <fmt/format.h>

#include <cstddef>

namespace quadgate {

OutputUnits output_units(const DataDescription& data, std::int64_t output_size,
                         const SeriesScale* scale) {
  const auto size = static_cast<std::size_t>(output_size);
  OutputUnits units{{}, std::vector<double>(size, 0), std::vector<double>(size, 1)};
  if (!data.window) {
    for (std::size_t i = 0; i < size; ++i) {
      units.names.push_back(fmt::format("{}", i));
    }
    return units;
  }
  const std::vector<double>& mean = scale != nullptr ? scale->mean : data.mean;
  const std::vector<double>& std = scale != nullptr ? scale->std : data.std;
  const std::vector<std::int64_t> columns = target_columns(data);
  for (std::size_t i = 0; i < size; ++i) {
    const auto column = static_cast<std::size_t>(columns[i % columns.size()]);
    units.names.push_back(fmt::format("{}+{}", data.feature_names[column], i / columns.size() + 1));
    if (!mean.empty()) {
      units.mean[i] = mean[column];
      units.std[i] = std[column];
    }
  }
  return units;
}

OutputUnits head_units(const OutputUnits& of_targets, const LossConfig& loss) {
  const std::vector<std::string> names = loss.output_names();
  if (names.empty()) return of_targets;
  OutputUnits units;
  for (std::size_t target = 0; target < of_targets.names.size(); ++target) {
    for (const std::string& name : names) {
      units.names.push_back(fmt::format("{} {}", of_targets.names[target], name));
      units.mean.push_back(name == "scale" || name == "df" ? 0 : of_targets.mean[target]);
      units.std.push_back(name == "df" ? 1 : of_targets.std[target]);
    }
  }
  return units;
}

WindowUnits::WindowUnits(const DataDescription& data, const Split& split, std::int64_t target_size,
                         const LossConfig* loss)
    : data_(data), split_(split), target_size_(target_size) {
  if (loss != nullptr) loss_ = *loss;
  units_ = make(nullptr);
}

OutputUnits WindowUnits::make(const SeriesScale* scale) const {
  OutputUnits units = output_units(data_, target_size_, scale);
  return loss_ ? head_units(units, *loss_) : units;
}

const OutputUnits& WindowUnits::of(std::int64_t row) {
  if (row == row_) return units_;
  row_ = row;
  const SeriesScale* const scale = split_.scale(row);
  if (scale != scale_) units_ = make(scale);
  scale_ = scale;
  return units_;
}

}  // namespace quadgate
