#include "apps/model/inspect.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "apps/model/model_on_data.h"
#include "engine/base/error.h"
#include "io/data/dataset.h"
#include "io/data/row_order.h"
#include "io/data/window_split.h"
#include "io/hdf5/attributes.h"
#include "io/hdf5/file.h"
#include "io/hdf5/formats.h"
#include "io/model/checkpoint.h"

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

void print_recipe(const Recipe& recipe) {
  std::string text = fmt::format("read from: {}", recipe.kind);
  const auto add = [&](const char* what, const std::string& value) {
    if (!value.empty()) text += fmt::format(", {} {}", what, value);
  };
  add("time", recipe.time);
  add("group", recipe.group);
  add("resample", recipe.resample);
  add("step", to_string(recipe.step));
  std::string statics;
  for (const StaticColumn& column : recipe.statics) {
    statics += (statics.empty() ? "" : " ") + column.name;
  }
  add("static", statics);
  add("calendar", fmt::format("{}", fmt::join(recipe.calendar, " ")));
  if (recipe.missing != "error") add("missing", recipe.missing);
  add("level", recipe.level);
  fmt::print("{}\n", text);
}

void print_description(const DataDescription& data) {
  if (data.recipe) print_recipe(*data.recipe);
  if (data.token_names.empty()) {
    fmt::print("features: {}\n", names_text(data.feature_names));
    if (!data.known_names.empty()) {
      fmt::print("known of the future: {}\n", names_text(data.known_names));
    }
  } else {
    fmt::print("vocabulary: {}\n", names_text(data.token_names));
    if (data.token_level == TextLevel::characters) fmt::print("tokens: characters of words\n");
    if (!data.tag_column.empty()) fmt::print("classes: {} of CoNLL-U\n", data.tag_column);
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
    fmt::print("standardized: {}\n", !data.series_scales.empty() ? "each series by its own scale"
                                     : is_standardized(data)     ? "yes"
                                                                 : "no");
  }
}

/// Share of the steps that are padding if batches of 32 are padded to their longest sequence.
double padded_share(const Split& split, bool by_length) {
  constexpr std::int64_t kBatchSize = 32;
  RowOrder order(split, kBatchSize, Shuffle{.seed = 1, .by_length = by_length});
  std::int64_t steps = 0;
  std::int64_t padded = 0;
  for (std::vector<std::int64_t> rows; order.next(rows);) {
    std::int64_t longest = 0;
    for (const std::int64_t row : rows) {
      longest = std::max(longest, split.length(row));
      steps += split.length(row);
    }
    padded += longest * std::ssize(rows);
  }
  return 1 - static_cast<double>(steps) / static_cast<double>(padded);
}

void print_split(const std::string& name, const Split& split) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t row = 0; row < split.size(); ++row) lengths.push_back(split.length(row));
  std::ranges::sort(lengths);
  const auto sum = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  fmt::print("{}: {} sequences of {} to {} steps, median {}, {:.1f} on average\n", name,
             split.size(), lengths.front(), lengths.back(), lengths[lengths.size() / 2],
             static_cast<double>(sum) / static_cast<double>(split.size()));
  if (name == "train" && lengths.front() < lengths.back()) {
    fmt::print("padding at batch 32: {:.1f} % of steps, {:.1f} % with bucket_by_length\n",
               100 * padded_share(split, false), 100 * padded_share(split, true));
  }
}

void print_storage(const hdf5::File& file) {
  for (const char* x : {"train/x", "valid/x", "test/x"}) {
    if (!file.has(x)) continue;
    fmt::print("x: {}\n", file.array(x).storage_text());
    return;
  }
}

/// A forecast's windows are cut at read time, so that there is only the series to show.
void inspect_series(const hdf5::File& file) {
  for (const char* name : {"train", "valid", "test"}) {
    if (!file.has(name)) continue;
    const hdf5::Array x = file.array(fmt::format("{}/x", name));
    const std::vector<SeriesRange> ranges =
        read_series_ranges(file, name, x.shape().empty() ? 0 : x.shape()[0]);
    if (ranges.size() == 1) {
      fmt::print("{}: rows {} to {} of a series of shape {}\n", name, ranges[0].begin,
                 ranges[0].end, hdf5::shape_text(x.shape()));
      continue;
    }
    std::int64_t rows = 0;
    for (const SeriesRange& range : ranges) rows += range.end - range.begin;
    fmt::print("{}: {} rows of {} series, together of shape {}\n", name, rows, ranges.size(),
               hdf5::shape_text(x.shape()));
  }
  if (file.has_attribute("", "series_names")) {
    fmt::print("series: {}\n", names_text(file.read_strings("", "series_names")));
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

void inspect_sequences(const std::filesystem::path& path) {
  Dataset dataset(path);
  for (const std::string& name : dataset.split_names()) {
    print_split(name, dataset.inputs(name));
  }
  if (dataset.task() == Task::regression) {
    if (dataset.output_size() > 0) fmt::print("values to predict: {}\n", dataset.output_size());
  }
  print_description(dataset.description());
}

void inspect_dataset(const hdf5::File& file) {
  const std::string task = read_dataset_task(file.path());
  fmt::print("data set for {}\n", task);
  if (task == "forecast") {
    inspect_series(file);
  } else if (task == "language_model") {
    inspect_text(file);
  } else {
    inspect_sequences(file.path());
  }
  print_storage(file);
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
             config.crf ? "crf" : to_string(loss.kind_for(config.task)));
  const LossConfig usual;
  if (loss.huber_delta != usual.huber_delta) fmt::print(", huber_delta {}", loss.huber_delta);
  if (loss.label_smoothing > 0) fmt::print(", label_smoothing {}", loss.label_smoothing);
  if (!loss.class_weights.empty()) fmt::print(", class_weights {}", loss.class_weights);
  if (!loss.quantiles.empty()) fmt::print(", quantiles {}", loss.quantiles);
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
  if (config.normalization.residual) fmt::print("residual: outputs are added to last values\n");
  if (config.normalization.changes_features()) {
    fmt::print("normalize: {}\n", to_string(config.normalization.kind));
  }
  std::size_t count = 0;
  for (const ParameterSlice& slice : parameters.slices()) {
    fmt::print("  {:<28} {}\n", slice.name, hdf5::shape_text(slice.shape));
    count += slice.size;
  }
  fmt::print("parameters: {}\n", count);
}

void inspect_checkpoint(const Checkpoint& checkpoint) {
  const ModelDescription model = checkpoint.description();
  Parameters parameters(model.config);
  checkpoint.load_parameters(parameters);
  fmt::print("checkpoint of a model for {}\n", task_name(model));
  print_model(model.config, parameters);
  print_description(model.data);
  if (const auto epoch = checkpoint.epoch())
    fmt::print("the best of its run, of epoch {}\n", *epoch);
  if (!checkpoint.has_training()) {
    fmt::print("training state: none\n");
    return;
  }
  const TrainingState state = checkpoint.training_state();
  fmt::print("training state: {} epochs and {} batches done, {} steps, seed {}\n", state.epoch,
             state.batch, state.step, state.seed);
  if (state.best_metric) {
    fmt::print("best valid metric: {:.6g}{}\n", *state.best_metric,
               state.best_epoch ? fmt::format(", of epoch {}", *state.best_epoch) : "");
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
  if (format == kDatasetFormat) {
    inspect_dataset(file);
  } else if (format == kCheckpointFormat) {
    inspect_checkpoint(Checkpoint(file));
  } else {
    throw FileError(fmt::format("{}: attribute 'format': expected {} or {}, found {}",
                                path.string(), kDatasetFormat, kCheckpointFormat, format));
  }
}

}  // namespace quadgate::apps
