#include "io/data/output_units.h"

#include <fmt/format.h>

#include <cstddef>

namespace quadgate {

OutputUnits output_units(const DataDescription& data, std::int64_t output_size) {
  const auto size = static_cast<std::size_t>(output_size);
  OutputUnits units{{}, std::vector<double>(size, 0), std::vector<double>(size, 1)};
  if (!data.window) {
    for (std::size_t i = 0; i < size; ++i) {
      units.names.push_back(fmt::format("{}", i));
    }
    return units;
  }
  const std::vector<std::int64_t> columns = target_columns(data);
  for (std::size_t i = 0; i < size; ++i) {
    const auto column = static_cast<std::size_t>(columns[i % columns.size()]);
    units.names.push_back(fmt::format("{}+{}", data.feature_names[column], i / columns.size() + 1));
    if (!data.mean.empty()) {
      units.mean[i] = data.mean[column];
      units.std[i] = data.std[column];
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

}  // namespace quadgate
