#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/model/growing_network.h"
#include "engine/model/batch.h"
#include "io/data/dataset.h"
#include "io/model/checkpoint.h"
#include "io/model/known_data.h"

namespace quadgate::apps {

/// Throws DataError, naming `data` and what differs, unless it has the task, the number of
/// features, the vocabulary, window, targets and classes that `model` was trained with. Classes
/// whose names are but numbers may be called otherwise. Names and scale of features are Dataset's
/// to compare.
void expect_same_kind(const ModelDescription& model, const Dataset& data);

/// Throws DataError, naming file, split and row, if a sequence of the split is too short for the
/// model's convolution.
void expect_lengths(const ModelConfig& model, Dataset& data, const std::string& split);

/// Throws DataError, naming the checkpoint, unless what its model gives are finite numbers.
void expect_finite_outputs(const std::filesystem::path& checkpoint, std::span<const float> outputs);

/// A trained model, planned for the split of a data set that it shall run over.
class ModelOnData {
 public:
  /// `data` are the files of one data set, whose features come in the model's order and scale;
  /// notes on that go to stderr. Throws FileError, DataError or InvalidArgument if a file cannot be
  /// used, the data are not what the model was trained on, or there is no such split.
  /// Without a name, the split is test, or the only one that there is.
  ModelOnData(const Checkpoint& checkpoint, std::span<const std::filesystem::path> data,
              const std::optional<std::string>& split, std::optional<int> threads)
      : ModelOnData(checkpoint, checkpoint.description(), data, split, threads, true) {}

  /// The same for predictions, of a model with this `description`: a split may lack targets, and
  /// may be kFuture.
  ModelOnData(const Checkpoint& checkpoint, ModelDescription description,
              std::span<const std::filesystem::path> data, const std::optional<std::string>& split,
              std::optional<int> threads)
      : ModelOnData(checkpoint, std::move(description), data, split, threads, false) {}

  const ModelDescription& description() const noexcept { return description_; }
  const Dataset& dataset() const noexcept { return dataset_; }
  const std::string& split_name() const noexcept { return split_name_; }
  Split& split() noexcept { return *split_; }
  const Parameters& parameters() const noexcept { return network_->parameters(); }

  /// Goes on to what comes behind its data: a data set of the same kind, whose split has the same
  /// name. States are carried on. Views of the data before, and of its parameters, end.
  void go_on(std::span<const std::filesystem::path> data);

  /// Fills `outputs` with the head's outputs for a batch (see Network::predict). Throws DataError
  /// if they are not finite.
  void predict(const Batch& batch, std::vector<float>& outputs);
  /// Calls `visit` with each batch of the split, in the file's order, and the head's outputs for it
  /// (see Network::predict). Throws StopRequest after a stop signal.
  void for_each_batch(
      const std::function<void(const Batch& batch, std::span<const float> outputs)>& visit);

 private:
  ModelOnData(const Checkpoint& checkpoint, ModelDescription description,
              std::span<const std::filesystem::path> data, const std::optional<std::string>& split,
              std::optional<int> threads, bool needs_targets);

  Split& open_split(bool needs_targets);

  std::filesystem::path checkpoint_;
  ModelDescription description_;
  Dataset dataset_;
  std::string split_name_;
  Split* split_;
  GrowingNetwork network_;
  bool goes_on_ = false;  // with the states of the data before
};

/// A note, if series are standardized each by its own scale, and some of them, of `source`, not by
/// one that the model knows.
void note_new_series(const ModelOnData& model, const std::string& source);

/// A note, if rows of a forecast's data set are not as far from each other as all are that the
/// model was trained on: windows hold such a gap.
void note_gaps(const ModelOnData& model);

}  // namespace quadgate::apps
