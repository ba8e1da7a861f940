#include "apps/model/predict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "apps/common/output_file.h"
#include "apps/model/model_on_data.h"
#include "engine/base/error.h"
#include "engine/model/crf_batch.h"
#include "io/files/replace_file.h"
#include "io/hdf5/file_writer.h"
#include "io/hdf5/formats.h"

namespace quadgate::apps {
namespace {

/// The predictions of a whole split. An item is a sequence, or a step of one for tagging.
struct Predictions {
  std::vector<float> outputs;            ///< [items, O]: logits; empty for regression
  std::vector<double> values;            ///< [items, O], in original units; of regression alone
  std::vector<std::int64_t> labels;      ///< [items], true classes; empty for regression
  std::vector<std::int64_t> offsets{0};  ///< [n + 1]: sequence i is steps offsets[i]..offsets[i+1]
  std::vector<std::int64_t> classes;     ///< [items], predicted; empty for regression
  std::vector<float> probabilities;      ///< [items], of the predicted class
};

/// Appends the class with the largest of the `logits`, and its softmax.
void add_class(std::span<const float> logits, Predictions& predictions) {
  const auto best = std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) {
    sum += std::exp(static_cast<double>(logit) - static_cast<double>(*best));
  }
  predictions.classes.push_back(best - logits.begin());
  predictions.probabilities.push_back(static_cast<float>(1 / sum));
}

/// Appends the best tagging of each sequence, and the probability of each of its tags, whatever the
/// others are.
void add_taggings(CrfBatch& crf, const Batch& batch, std::span<const float> outputs,
                  Predictions& predictions) {
  const auto best = crf.decode(batch, outputs);
  const std::vector<std::int64_t> tags(best.begin(), best.end());
  predictions.classes.insert(predictions.classes.end(), tags.begin(), tags.end());
  const auto size = outputs.size() / tags.size();
  const auto probabilities = crf.probabilities(batch, outputs);
  for (std::size_t i = 0; i < tags.size(); ++i) {
    predictions.probabilities.push_back(
        probabilities[i * size + static_cast<std::size_t>(tags[i])]);
  }
}

Predictions predict_split(ModelOnData& model, const OutputUnits& units) {
  const auto size = static_cast<std::size_t>(model.description().config.output_size);
  const bool regression = model.description().config.task == Task::regression;
  const Loss loss(model.description().config);
  std::optional<CrfBatch> crf;
  if (model.description().config.crf) crf.emplace(model.parameters());
  Predictions all;
  model.for_each_batch([&](const Batch& batch, std::span<const float> outputs) {
    const std::int64_t before = all.offsets.back();
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      all.offsets.push_back(before + batch.offsets[static_cast<std::size_t>(row) + 1]);
    }
    if (regression) {
      const auto each =
          static_cast<std::size_t>(model.description().config.loss.outputs_per_target());
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        const auto number = static_cast<std::int64_t>(i % each);
        const auto value = static_cast<double>(loss.value(outputs[i], number));
        all.values.push_back(value * units.std[i % size] + units.mean[i % size]);
      }
      return;
    }
    all.outputs.insert(all.outputs.end(), outputs.begin(), outputs.end());
    all.labels.insert(all.labels.end(), batch.labels.begin(), batch.labels.end());
    if (crf) return add_taggings(*crf, batch, outputs, all);
    for (std::size_t i = 0; i < outputs.size(); i += size) {
      add_class(outputs.subspan(i, size), all);
    }
  });
  return all;
}

/// A field of a CSV file (RFC 4180).
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted.append(c == '"' ? 2 : 1, c);
  }
  quoted += '"';
  return quoted;
}

void append_classes(const Predictions& predictions, const std::vector<std::string>& names,
                    bool tagging, std::string& csv) {
  const auto item = [&](std::size_t i) {
    const auto name = [&](std::int64_t label) {  // none of ignore_index
      return std::cmp_less(label, names.size()) && label >= 0
                 ? csv_field(names[static_cast<std::size_t>(label)])
                 : "";
    };
    return fmt::format("{},{},{}\n", name(predictions.classes[i]), predictions.probabilities[i],
                       name(predictions.labels[i]));
  };
  csv += tagging ? "row,step,predicted,probability,label\n" : "row,predicted,probability,label\n";
  for (std::size_t row = 0; row + 1 < predictions.offsets.size(); ++row) {
    if (!tagging) {
      csv += fmt::format("{},{}", row, item(row));
      continue;
    }
    const auto first = static_cast<std::size_t>(predictions.offsets[row]);
    const auto end = static_cast<std::size_t>(predictions.offsets[row + 1]);
    for (std::size_t i = first; i < end; ++i) {
      csv += fmt::format("{},{},{}", row, i - first, item(i));
    }
  }
}

/// A number's digits: those of a float32 if it is one, as all are without a scale.
std::string shortest(double value) {
  const auto narrow = static_cast<float>(value);
  return static_cast<double>(narrow) == value ? fmt::format("{}", narrow)
                                              : fmt::format("{}", value);
}

void append_values(const Predictions& predictions, const OutputUnits& units, std::string& csv) {
  csv += "row";
  for (const std::string& name : units.names) {
    csv += ',';
    csv += csv_field(name);
  }
  const std::size_t size = units.names.size();
  for (std::size_t i = 0; i < predictions.values.size(); ++i) {
    if (i % size == 0) {
      fmt::format_to(std::back_inserter(csv), "\n{}", i / size);
    }
    fmt::format_to(std::back_inserter(csv), ",{}", shortest(predictions.values[i]));
  }
  csv += "\n";
}

std::string to_csv(const Predictions& predictions, const ModelDescription& model,
                   const OutputUnits& units) {
  std::string csv;
  if (model.config.task == Task::regression) {
    append_values(predictions, units, csv);
  } else {
    append_classes(predictions, model.data.class_names, model.config.task == Task::tagging, csv);
  }
  return csv;
}

/// Datasets `values` [n, O], or `logits` [items, C], `predicted`, `probability` and `label`
/// [items], with `offsets` [n + 1] for tagging.
void write_hdf5(const std::filesystem::path& path, const Predictions& predictions,
                const ModelDescription& model, const OutputUnits& units) {
  auto file = hdf5::FileWriter::create(path);
  const std::int64_t size = model.config.output_size;
  const bool regression = model.config.task == Task::regression;
  const auto items =
      regression ? std::ssize(predictions.values) / size : std::ssize(predictions.outputs) / size;
  const std::int64_t matrix[] = {items, size};
  file.write_string("", "format", kPredictionsFormat);
  file.write_int("", "format_version", regression ? 2 : 1);  // float64 values
  file.write_string("", "task", to_string(model.config.task));
  if (regression) {
    file.write("values", matrix, predictions.values);
    file.write_strings("", "value_names", units.names);
  } else {
    file.write("logits", matrix, predictions.outputs);
    file.write("predicted", std::span(&items, 1), predictions.classes);
    file.write("probability", std::span(&items, 1), predictions.probabilities);
    file.write("label", std::span(&items, 1), predictions.labels);
    file.write_strings("", "class_names", model.data.class_names);
  }
  if (model.config.task == Task::tagging) {
    const auto offsets = static_cast<std::int64_t>(predictions.offsets.size());
    file.write("offsets", std::span(&offsets, 1), predictions.offsets);
  }
  replace_file(path, file.image());
}

}  // namespace

void predict(const PredictArguments& arguments) {
  const auto& output = arguments.output;
  const std::string extension = output.extension().string();
  if (extension != ".csv" && extension != ".h5") {
    throw InvalidArgument(
        fmt::format("--output: expected a name in .csv or .h5, found '{}'", output.string()));
  }
  expect_no_input(output, arguments.data);
  expect_no_input(output, std::span(&arguments.checkpoint, 1));
  if (!arguments.force) expect_same_format(output, kPredictionsFormat);
  ModelOnData model(Checkpoint(arguments.checkpoint), arguments.data, arguments.split,
                    arguments.threads);
  if (model.description().data.streams) {
    throw InvalidArgument(fmt::format("{}: a language model; evaluate gives its perplexity",
                                      arguments.checkpoint.string()));
  }
  const OutputUnits units =
      head_units(output_units(model.dataset()), model.description().config.loss);
  const Predictions predictions = predict_split(model, units);
  if (extension == ".csv") {
    const std::string csv = to_csv(predictions, model.description(), units);
    replace_file(output, std::as_bytes(std::span(csv)));
  } else {
    write_hdf5(output, predictions, model.description(), units);
  }
  fmt::print("wrote {}: {} sequences of {}\n", output.string(), model.split().size(),
             arguments.split);
}

}  // namespace quadgate::apps
