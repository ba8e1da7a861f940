#include "io/model/known_data.h"

#include "io/data/dataset.h"
#include "io/hdf5/attributes.h"
#include "io/hdf5/file.h"
#include "io/hdf5/formats.h"
#include "io/model/checkpoint.h"

namespace quadgate {

KnownData read_known_data(const std::filesystem::path& path) {
  hdf5::File file = hdf5::File::open(path);
  const bool is_checkpoint =
      file.has_attribute("", "format") && file.read_string("", "format") == kCheckpointFormat;
  if (is_checkpoint) {
    const ModelDescription model = Checkpoint(std::move(file)).description();
    return {path, task_name(model), model.data};
  }
  return {path, read_dataset_task(path), read_data_description(hdf5::ObjectReader(file, ""))};
}

std::string task_name(const ModelDescription& model) {
  if (model.data.streams) return "language_model";
  return model.data.window ? "forecast" : to_string(model.config.task);
}

Task network_task(const std::string& task) {
  if (task == "forecast") return Task::regression;
  if (task == "language_model") return Task::tagging;
  return task_from_name(task).value_or(Task::classification);
}

}  // namespace quadgate
