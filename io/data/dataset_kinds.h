#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/model/config.h"
#include "io/data/data_description.h"
#include "io/data/dataset.h"
#include "io/data/feature_view.h"
#include "io/hdf5/file.h"

/// The kinds of data sets, each opened in a file of its own. Functions check what they open, and
/// throw like Dataset's constructors. `model`, unless null, is what Dataset's `model` is.
namespace quadgate::detail {

/// What a Dataset shows, of whichever kind.
struct OpenDataset {
  std::filesystem::path path;
  Task task = Task::classification;
  std::int64_t input_size = 0;
  std::int64_t output_size = 0;
  DataDescription description;
  bool has_class_names = true;  ///< in the file
  FeatureView view{};           ///< of x
  std::vector<std::string> notes{};
  std::map<std::string, std::unique_ptr<Split>> splits{};
  std::map<std::string, std::string> empty{};             ///< splits without rows, and what to say
  std::function<std::unique_ptr<Split>()> open_future{};  ///< of a forecast
  std::unique_ptr<Split> future{};                        ///< once it is open
};

/// Sequences with labels or values, for any task (sequence_dataset.cpp).
OpenDataset open_sequences(const hdf5::File& file, Task task, std::int64_t ignore_index,
                           const DataDescription* model);
/// Series, cut into the windows of a forecast (forecast_dataset.cpp).
OpenDataset open_forecast(const hdf5::File& file, const Window& window,
                          const DataDescription* model);
/// The text of a language model (text_dataset.cpp).
OpenDataset open_text(const hdf5::File& file, const Streams& streams);

/// Throws unless `other` is a data set like `first`, whose classes, where no file names them,
/// become as many as the largest label of both tells (joined_dataset.cpp).
void expect_same(OpenDataset& first, const OpenDataset& other);
/// The first file's data set, with the splits of all.
OpenDataset join(std::vector<OpenDataset> files);

// What the kinds have in common.

inline constexpr std::array<const char*, 3> kSplitNames{"train", "valid", "test"};

/// The splits that the file has, in this order; at least one.
std::vector<std::string> split_groups(const hdf5::File& file);
/// Path and description.
OpenDataset describe(const hdf5::File& file);
/// Fills size, names and view of the features of `x`.
void open_features(const hdf5::File& file, const hdf5::Array& x, const DataDescription* model,
                   OpenDataset& data);
void expect_vocabulary(const hdf5::File& file, const DataDescription& description);
void expect_at_least_one(const char* field, std::int64_t value);
/// The size of the last dimension, at least 1.
std::int64_t last_size(const hdf5::Array& array);

}  // namespace quadgate::detail
