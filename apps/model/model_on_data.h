#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/model/batch.h"
#include "engine/threads/arena.h"
#include "engine/training/network.h"
#include "io/data/dataset.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {

/// What a model is for, in the words of a data set's attribute "task" (see read_dataset_task).
std::string task_name(const ModelDescription& model);

/// Throws DataError, naming `data` and what differs, unless it has the task, the number of
/// features, the vocabulary, window, targets and classes that `model` was trained with. Classes
/// whose names are but numbers may be called otherwise. Names and scale of features are Dataset's
/// to compare.
void expect_same_kind(const ModelDescription& model, const Dataset& data);

/// Throws DataError, naming file, split and row, if a sequence of the split is too short for the
/// model's convolution.
void expect_lengths(const ModelConfig& model, Dataset& data, const std::string& split);

/// A trained model, planned for the split of a data set that it shall run over.
class ModelOnData {
 public:
  /// `data` are the files of one data set, whose features come in the model's order and scale;
  /// notes on that go to stderr. Throws FileError, DataError or InvalidArgument if a file cannot be
  /// used, the data are not what the model was trained on, or there is no such split.
  ModelOnData(const Checkpoint& checkpoint, std::span<const std::filesystem::path> data,
              const std::string& split, std::optional<int> threads);

  const ModelDescription& description() const noexcept { return description_; }
  const Dataset& dataset() const noexcept { return dataset_; }
  Split& split() noexcept { return split_; }
  const Parameters& parameters() const noexcept { return network_.parameters(); }

  /// Calls `visit` with each batch of the split, in the file's order, and the head's outputs for it
  /// (see Network::predict).
  void for_each_batch(
      const std::function<void(const Batch& batch, std::span<const float> outputs)>& visit);

 private:
  ModelDescription description_;
  Dataset dataset_;
  Split& split_;
  std::int64_t batch_size_;
  Arena arena_;
  Network network_;
};

/// What a regression's outputs are, each of its `output_size` values.
struct OutputUnits {
  std::vector<std::string> names;  ///< "OT+1" for column OT, 1 step ahead; "0", "1", ... otherwise
  std::vector<double> mean;        ///< original = value * std + mean
  std::vector<double> std;
};

/// The units of a data set's targets: those of a forecast are standardized as its columns are.
OutputUnits output_units(const Dataset& data);

/// The units of a head's outputs, from those of the targets: "OT+1 q0.1" for a quantile, "OT+1
/// mean", "OT+1 scale" and "OT+1 df" for a distribution.
OutputUnits head_units(const OutputUnits& of_targets, const LossConfig& loss);

}  // namespace quadgate::apps
