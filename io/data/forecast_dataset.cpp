#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/base/error.h"
#include "io/data/covariates.h"
#include "io/data/dataset_kinds.h"
#include "io/data/window_split.h"

namespace quadgate::detail {
namespace {

void expect_no_covariates(const OpenDataset& data) {
  const DataDescription& description = data.description;
  const std::vector<std::int64_t> targets = target_columns(description);
  for (const std::int64_t column : covariate_columns(description)) {
    if (std::ranges::find(targets, column) == targets.end()) continue;
    throw InvalidArgument(fmt::format(
        "{}: targets: expected columns that are not known beforehand, found '{}'",
        data.path.string(), description.feature_names[static_cast<std::size_t>(column)]));
  }
}

}  // namespace

OpenDataset open_forecast(const hdf5::File& file, const Window& window,
                          const DataDescription* model) {
  const std::vector<std::string> names = split_groups(file);
  OpenDataset data = describe(file);
  data.task = Task::regression;
  open_features(file, file.array(names.front() + "/x"), model, data);
  expect_at_least_one("input_len", window.input_len);
  expect_at_least_one("horizon", window.horizon);
  expect_at_least_one("stride", window.stride);
  data.description.window = window;
  if (model != nullptr) data.description.known_names = model->known_names;
  data.input_size += std::ssize(data.description.known_names);
  if (!data.description.known_names.empty() && window.input_len < window.horizon) {
    throw InvalidArgument(fmt::format(
        "{}: input_len: expected at least the horizon, {}, with columns that are known of the "
        "rows to forecast ({}), found {}",
        data.path.string(), window.horizon, fmt::join(data.description.known_names, ", "),
        window.input_len));
  }
  if (window.targets.empty()) data.description.window->targets = series_names_of(data.description);
  expect_no_covariates(data);
  data.output_size =
      window.horizon * static_cast<std::int64_t>(target_columns(data.description).size());
  for (const std::string& name : names) {
    try {
      data.splits[name] = std::make_unique<WindowSplit>(file, name, data.description, data.view);
    } catch (const DataError& error) {
      if (model == nullptr) throw;
      data.empty[name] = error.what();  // what comes after its rows may still be forecast
    }
  }
  data.open_future = [file, name = names.back(), description = data.description, view = data.view] {
    return WindowSplit::open_future(file, name, description, view);
  };
  return data;
}

}  // namespace quadgate::detail
