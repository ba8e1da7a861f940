#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/config.h"
#include "engine/model/network_options.h"
#include "engine/training/schedule.h"
#include "io/data/data_description.h"

namespace quadgate::apps {

/// A run file: what `quadgate train` does, under the keys that the file has. Relative paths are
/// relative to the current folder.
struct RunConfig {
  /// One path or several, in the file as a string or an array of strings.
  struct Paths {
    std::vector<std::string> names;

    bool operator==(const Paths&) const = default;
  };
  /// Weights, or "balanced": those that give every class of the train split as much weight in all.
  struct ClassWeights {
    bool balanced = false;
    std::vector<float> values{};  ///< [classes]; empty: all 1

    bool operator==(const ClassWeights&) const = default;
  };
  struct Data {
    Paths path;
    std::optional<std::int64_t> input_len;  ///< this and the next three: forecasts only
    std::optional<std::int64_t> horizon;
    std::optional<std::int64_t> stride;
    std::vector<std::string> targets;  ///< columns to forecast; empty: all
  };
  struct Conv {
    std::optional<std::int64_t> channels;  ///< empty: there is no convolution
    std::int64_t kernel_size = 0;
    std::int64_t padding = 0;
    std::int64_t pool_size = 1;
  };
  struct Model {
    Cell cell = Cell::lstm;
    std::optional<std::int64_t>
        embedding_size;  ///< this and the next three: data sets of tokens only
    std::optional<std::int64_t> padding_index;
    std::optional<bool> tie_weights;  ///< language models only; empty: no
    bool sparse_embedding = true;     ///< only the embedding's rows with a gradient are updated
    std::int64_t hidden_size = 0;
    std::int64_t num_layers = 1;
    bool bidirectional = false;
    double dropout = 0;
    double input_dropout = 0;
    double output_dropout = 0;
    bool locked_dropout = false;
    double weight_dropout = 0;
    std::int64_t proj_size = 0;  ///< 0: no projection
    bool bias = true;
    std::string init;         ///< checkpoint whose weights to start from; empty: random weights
    bool orthogonal = false;  ///< weight_hh begins with orthogonal gates
    std::optional<double> forget_bias;  ///< with which forget gates begin; empty: random, as others
    Precision precision = Precision::f32;
    Arithmetic arithmetic = Arithmetic::fastest;  ///< of bf16
    Pooling pooling = Pooling::last;
    Normalize normalize = Normalize::none;  ///< this and the next one: forecasts only
    bool residual = false;
    bool crf = false;  ///< tagging only
    Conv conv;
  };
  struct Train {
    std::int64_t epochs = 0;
    std::int64_t batch_size = 32;
    OptimizerConfig optimizer;
    LossConfig loss;  ///< without its class_weights, until they are completed
    ClassWeights class_weights;
    ScheduleConfig schedule;
    /// Epochs without a better validation loss, or number to monitor, after which training ends;
    /// empty: it does not.
    std::optional<std::int64_t> early_stopping_patience;
    /// The number of the valid split that best.h5 and early stopping go by; empty: accuracy or
    /// loss, and the loss.
    std::string monitor;
    std::optional<bool> shuffle;                 ///< empty: yes, but for a language model
    std::optional<std::int64_t> shuffle_buffer;  ///< rows; empty: all rows are shuffled at once
    bool bucket_by_length = false;
    std::optional<std::int64_t> bptt_len;  ///< language models only; empty: 35
    std::int64_t seed = 1;
    std::optional<std::int64_t> threads;
    /// In how many shards the gradient of a batch is summed; empty: 1, or what suits the ranks.
    std::optional<std::int64_t> grad_shards;
    std::optional<std::int64_t> checkpoint_every_steps;
    std::optional<double> checkpoint_every_minutes;
  };

  Data data;
  Model model;
  Train train;
  std::string output_dir;

  /// The files of the data set.
  std::vector<std::filesystem::path> data_paths() const;
  /// The window of a forecast; empty if no key of it is given. Throws InvalidArgument if some of
  /// them are there and input_len or horizon is not.
  std::optional<Window> window() const;
  /// "a.h5", or "a.h5 and 2 more": the data set in a message.
  std::string data_text() const;
};

/// Reads a run file, then sets the keys of `overrides` ("train.lr=1e-3"; a value that is no TOML is
/// a string). Throws FileError if the file cannot be read, InvalidArgument, naming file (or --set),
/// key, expected and found, if it is not TOML or a key is unknown, missing, or has a value of
/// another type or out of range.
RunConfig read_run_config(const std::filesystem::path& path,
                          std::span<const std::string> overrides = {});

/// As read_run_config, from text; `name` stands for the file in messages.
RunConfig parse_run_config(std::string_view text, std::string_view name,
                           std::span<const std::string> overrides = {});

/// Fills the keys of the schedule that follow from others where they are not given: T_max from
/// epochs; max_lr from lr, and total_steps from epochs and the updates of an epoch.
/// Throws InvalidArgument if the schedule is impossible with them.
void complete_schedule(RunConfig& config, std::int64_t updates_per_epoch);

/// The run file with every key that has a value; parse_run_config gives the same config back.
std::string to_toml(const RunConfig& config);

/// Throws InvalidArgument, naming key and values, if resuming the `stored` run with `config` would
/// not continue it. How long, how often saved, on how many threads and where is free to differ.
void expect_same_run(const RunConfig& stored, const RunConfig& config);

}  // namespace quadgate::apps
