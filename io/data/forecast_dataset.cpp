#include "engine/base/error.h"
#include "io/data/dataset_kinds.h"
#include "io/data/window_split.h"

namespace quadgate::detail {

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
  if (window.targets.empty()) data.description.window->targets = data.description.feature_names;
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
