#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>

#include "apps/commands.h"
#include "apps/model_on_data.h"
#include "engine/error.h"
#include "io/checkpoint.h"
#include "io/dataset.h"
#include "io/hdf5.h"
#include "io/hdf5_attributes.h"

namespace quadgate::apps {
namespace {

std::string names_text(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 10;
  std::string list;
  for (const std::string& name : std::span(names).first(std::min(names.size(), kShown))) {
    list += list.empty() ? "" : ", ";
    list += name == "\n" ? "\\n" : name;  // a token of text
  }
  return fmt::format("{} ({}{})", names.size(), list, names.size() > kShown ? ", ..." : "");
}

void print_description(const DataDescription& data) {
  if (data.token_names.empty()) {
    fmt::print("features: {}\n", names_text(data.feature_names));
  } else {
    fmt::print("vocabulary: {}\n", names_text(data.token_names));
    if (data.token_level == TextLevel::characters) fmt::print("tokens: characters of words\n");
  }
  if (!data.class_names.empty() && !data.streams) {
    fmt::print("classes: {}\n", names_text(data.class_names));
  }
  if (const auto& window = data.window) {
    fmt::print("window: {} rows in, the next {} out, stride {}, targets {}\n", window->input_len,
               window->horizon, window->stride, names_text(window->targets));
  }
  if (const auto& streams = data.streams) {
    fmt::print("text: {} streams, {} tokens at a time\n", streams->count, streams->bptt_len);
  }
  if (data.token_names.empty()) {
    fmt::print("standardized: {}\n", data.mean.empty() ? "no" : "yes");
  }
}

void print_split(const std::string& name, const Split& split) {
  std::int64_t shortest = std::numeric_limits<std::int64_t>::max();
  std::int64_t sum = 0;
  for (std::int64_t row = 0; row < split.size(); ++row) {
    shortest = std::min(shortest, split.length(row));
    sum += split.length(row);
  }
  fmt::print("{}: {} sequences of {} to {} steps, {:.1f} on average\n", name, split.size(),
             shortest, split.max_len(),
             static_cast<double>(sum) / static_cast<double>(split.size()));
}

/// A forecast's windows are cut at read time, so that there is only the series to show.
void inspect_series(const hdf5::File& file) {
  for (const char* name : {"train", "valid", "test"}) {
    if (file.has(name)) {
      fmt::print("{}: rows {} to {} of a series of shape {}\n", name, file.read_int(name, "begin"),
                 file.read_int(name, "end"),
                 hdf5::shape_text(file.array(fmt::format("{}/x", name)).shape()));
    }
  }
  print_description(read_data_description(hdf5::ObjectReader(file, "")));
}

/// The text of a language model, a stream of tokens a split.
void inspect_text(const hdf5::File& file) {
  for (const char* name : {"train", "valid", "test"}) {
    if (file.has(name)) {
      const hdf5::Array x = file.array(fmt::format("{}/x", name));
      x.expect(hdf5::Element::int32, {hdf5::kAnySize}, "[L]");
      fmt::print("{}: {} tokens\n", name, x.size());
    }
  }
  print_description(read_data_description(hdf5::ObjectReader(file, "")));
}

void inspect_dataset(const hdf5::File& file) {
  const std::string task = read_dataset_task(file.path());
  fmt::print("data set for {}\n", task);
  if (task == "forecast") {
    inspect_series(file);
    return;
  }
  if (task == "language_model") {
    inspect_text(file);
    return;
  }
  Dataset dataset(file.path());
  for (const std::string& name : dataset.split_names()) {
    print_split(name, dataset.split(name));
  }
  if (dataset.task() == Task::regression) {
    fmt::print("values to predict: {}\n", dataset.output_size());
  }
  print_description(dataset.description());
}

void print_model(const ModelConfig& config, const Parameters& parameters) {
  const RecurrentConfig& rnn = config.rnn;
  fmt::print(
      "cell {}, input_size {}, hidden_size {}, proj_size {}, num_layers {}, bidirectional {}, "
      "dropout {}, output_size {}",
      to_string(rnn.cell), rnn.input_size, rnn.hidden_size, rnn.proj_size, rnn.num_layers,
      rnn.bidirectional, rnn.dropout, config.output_size);
  if (rnn.input_dropout > 0) fmt::print(", input_dropout {}", rnn.input_dropout);
  if (rnn.output_dropout > 0) fmt::print(", output_dropout {}", rnn.output_dropout);
  if (rnn.locked_dropout) fmt::print(", locked_dropout");
  if (rnn.weight_dropout > 0) fmt::print(", weight_dropout {}", rnn.weight_dropout);
  fmt::print("\n");
  const LossConfig& loss = config.loss;
  fmt::print("pooling {}, loss {}", to_string(config.pooling),
             to_string(loss.kind_for(config.task)));
  const LossConfig usual;
  if (loss.huber_delta != usual.huber_delta) fmt::print(", huber_delta {}", loss.huber_delta);
  if (loss.label_smoothing > 0) fmt::print(", label_smoothing {}", loss.label_smoothing);
  if (!loss.class_weights.empty()) fmt::print(", class_weights {}", loss.class_weights);
  if (loss.ignore_index != usual.ignore_index) fmt::print(", ignore_index {}", loss.ignore_index);
  fmt::print("\n");
  if (config.has_embedding()) {
    const auto padding = config.embedding.padding_index;
    fmt::print("embedding: {} tokens of {} features{}{}{}\n", config.embedding.vocabulary_size,
               config.input_size(), padding ? fmt::format(", padding_index {}", *padding) : "",
               config.embedding.sparse ? "" : ", all rows updated",
               config.embedding.tie_weights ? ", tied to the head's weight" : "");
  }
  if (const auto& conv = config.conv) {
    fmt::print(
        "convolution: {} features to {} channels, kernel_size {}, padding {}, pool_size {}\n",
        conv->input_size, conv->channels, conv->kernel_size, conv->padding, conv->pool_size);
  }
  std::size_t count = 0;
  for (const ParameterSlice& slice : parameters.slices()) {
    fmt::print("  {:<28} {}\n", slice.name, hdf5::shape_text(slice.shape));
    count += slice.size;
  }
  fmt::print("parameters: {}\n", count);
}

void inspect_checkpoint(const std::filesystem::path& path) {
  const ModelDescription model = read_model_description(path);
  Parameters parameters(model.config);
  load_parameters(path, parameters);
  fmt::print("checkpoint of a model for {}\n", task_name(model));
  print_model(model.config, parameters);
  print_description(model.data);
  if (!has_training_state(path)) {
    fmt::print("training state: none\n");
    return;
  }
  const TrainingState state = read_training_state(path);
  fmt::print("training state: {} epochs and {} batches done, {} steps, seed {}\n", state.epoch,
             state.batch, state.step, state.seed);
  if (state.best_metric) {
    fmt::print("best valid metric: {:.6g}\n", *state.best_metric);
  }
  if (!state.last_metrics.empty()) {
    fmt::print("last metrics: {}\n", state.last_metrics);
  }
}

}  // namespace

void inspect(const std::filesystem::path& path) {
  const auto file = hdf5::File::open(path);
  const std::string format =
      file.has_attribute("", "format") ? file.read_string("", "format") : "none";
  if (format == "quadgate-dataset") {
    inspect_dataset(file);
  } else if (format == "quadgate-checkpoint") {
    inspect_checkpoint(path);
  } else {
    throw FileError(fmt::format(
        "{}: attribute 'format': expected quadgate-dataset or quadgate-checkpoint, found {}",
        path.string(), format));
  }
}

}  // namespace quadgate::apps
