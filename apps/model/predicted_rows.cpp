#include "apps/model/predicted_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/common/warn.h"
#include "apps/model/text_output.h"
#include "engine/metrics/softmax.h"
#include "engine/model/crf_batch.h"
#include "io/data/output_units.h"
#include "io/files/replace_file.h"
#include "io/hdf5/file_writer.h"
#include "io/hdf5/formats.h"
#include "io/importers/conllu_column.h"
#include "io/importers/lemma_script.h"

namespace quadgate::apps {
namespace {

/// The predictions of a whole split. An item is a sequence, or a step of one for tagging.
struct Predictions {
  std::vector<float> outputs;            ///< [items, O]: logits; empty for regression
  std::vector<double> values;            ///< [items, O], in original units; of regression alone
  std::vector<std::int64_t> labels;      ///< [items], true classes; empty where nobody knows them
  std::vector<std::int64_t> offsets{0};  ///< [n + 1]: sequence i is steps offsets[i]..offsets[i+1]
  std::vector<std::int64_t> classes;     ///< [items], predicted; empty for regression
  std::vector<float> probabilities;      ///< [items], of the predicted class
  std::vector<float> shares;             ///< [items, O], of all classes, if they are asked for
  std::vector<std::int32_t> tokens;      ///< [items], of tagging, or none
};

/// Appends the class with the largest of the `logits`, and its softmax.
void add_class(std::span<const float> logits, Predictions& predictions) {
  const auto best = std::ranges::max_element(logits);
  predictions.classes.push_back(best - logits.begin());
  predictions.probabilities.push_back(static_cast<float>(SoftmaxSum(logits).probability(*best)));
}

/// Appends the best tagging of each sequence, and the probability of each of its tags, whatever the
/// others are; all probabilities if `has_shares`.
void add_taggings(CrfBatch& crf, const Batch& batch, std::span<const float> outputs,
                  bool has_shares, Predictions& predictions) {
  const auto best = crf.decode(batch, outputs);
  const std::vector<std::int64_t> tags(best.begin(), best.end());
  predictions.classes.insert(predictions.classes.end(), tags.begin(), tags.end());
  const auto size = outputs.size() / tags.size();
  const auto probabilities = crf.probabilities(batch, outputs);
  for (std::size_t i = 0; i < tags.size(); ++i) {
    predictions.probabilities.push_back(
        probabilities[i * size + static_cast<std::size_t>(tags[i])]);
  }
  if (!has_shares) return;
  predictions.shares.insert(predictions.shares.end(), probabilities.begin(), probabilities.end());
}

/// Appends the softmax of logits.
void add_softmax(std::span<const float> logits, std::vector<float>& shares) {
  const SoftmaxSum softmax(logits);
  for (const float logit : logits) {
    shares.push_back(static_cast<float>(softmax.probability(logit)));
  }
}

/// Adds the predictions for a batch.
class PredictionAdder {
 public:
  PredictionAdder(const ModelOnData& model, const RowColumns& columns, WindowUnits& units)
      : loss_(model.description().config),
        units_(units),
        size_(static_cast<std::size_t>(model.description().config.output_size)),
        each_(static_cast<std::size_t>(model.description().config.loss.outputs_per_target())),
        is_regression_(model.description().config.task == Task::regression),
        has_shares_(columns.probabilities) {
    if (model.description().config.crf) crf_.emplace(model.parameters());
  }

  void add(const Batch& batch, std::span<const float> outputs, Predictions& all) {
    const std::int64_t before = all.offsets.back();
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      all.offsets.push_back(before + batch.offsets[static_cast<std::size_t>(row) + 1]);
    }
    if (is_regression_) {
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        const auto number = static_cast<std::int64_t>(i % each_);
        const auto value = static_cast<double>(loss_.value(outputs[i], number));
        const OutputUnits& units = units_.of(row_ + static_cast<std::int64_t>(i / size_));
        all.values.push_back(value * units.std[i % size_] + units.mean[i % size_]);
      }
      row_ += batch.rows();
      return;
    }
    all.outputs.insert(all.outputs.end(), outputs.begin(), outputs.end());
    all.labels.insert(all.labels.end(), batch.labels.begin(), batch.labels.end());
    all.tokens.insert(all.tokens.end(), batch.tokens.begin(), batch.tokens.end());
    if (crf_) return add_taggings(*crf_, batch, outputs, has_shares_, all);
    for (std::size_t i = 0; i < outputs.size(); i += size_) {
      add_class(outputs.subspan(i, size_), all);
      if (has_shares_) add_softmax(outputs.subspan(i, size_), all.shares);
    }
  }

 private:
  Loss loss_;
  WindowUnits& units_;
  std::int64_t row_ = 0;  // of the next batch's first
  std::size_t size_;
  std::size_t each_;  // outputs of a target
  bool is_regression_;
  bool has_shares_;
  std::optional<CrfBatch> crf_;
};

/// The rows of a CSV file, a batch at a time.
class PredictionTable {
 public:
  PredictionTable(const ModelDescription& model, const RowColumns& columns, const InputWords* words,
                  WindowUnits& units)
      : model_(model), columns_(columns), units_(units), words_(words) {
    if (words != nullptr) reader_.emplace(words->tokens);
    has_lemmas_ = words != nullptr && model.data.tag_column == to_string(ConlluColumn::lemma);
  }

  std::string header() const {
    std::string names = "row";
    if (model_.config.task == Task::regression) {
      for (const std::string& name : units_.names()) {
        names += ',';
        names += csv_field(name);
      }
      return names + "\n";
    }
    if (is_tagging()) names += ",step";
    if (columns_.tokens) names += ",token";
    names += ",predicted,probability,label";
    for (const std::string& name : model_.data.class_names) {
      if (columns_.probabilities) names += fmt::format(",{}", csv_field(fmt::format("p_{}", name)));
    }
    return names + "\n";
  }

  /// The rows of the next predictions.
  std::string rows(const Predictions& predictions) {
    std::string text;
    const auto size = static_cast<std::size_t>(model_.config.output_size);
    for (std::size_t row = 0; row + 1 < predictions.offsets.size(); ++row, ++row_) {
      if (model_.config.task == Task::regression) {
        text += fmt::format("{}", row_);
        const OutputUnits& units = units_.of(row_);
        for (std::size_t i = 0; i < size; ++i) {
          text += ',';
          text += shortest(predictions.values[row * size + i], units.mean[i], units.std[i]);
        }
        text += "\n";
        continue;
      }
      const auto first = is_tagging() ? static_cast<std::size_t>(predictions.offsets[row]) : row;
      const auto end =
          is_tagging() ? static_cast<std::size_t>(predictions.offsets[row + 1]) : row + 1;
      for (std::size_t i = first; i < end; ++i) {
        text += fmt::format("{}", row_);
        if (is_tagging()) text += fmt::format(",{}", i - first);
        add_item(predictions, i, text);
      }
    }
    return text;
  }

 private:
  bool is_tagging() const noexcept { return model_.config.task == Task::tagging; }

  /// Of a token, the name of a class of it, or the lemma that this makes; none of ignore_index.
  std::string class_name(std::int64_t label, std::string_view token) const {
    const auto& names = model_.data.class_names;
    if (label < 0 || !std::cmp_less(label, names.size())) return "";
    const std::string& name = names[static_cast<std::size_t>(label)];
    return csv_field(has_lemmas_ ? apply_lemma_script(name, token) : name);
  }

  std::string token(const Predictions& predictions, std::size_t item) {
    if (!columns_.tokens) return "";
    if (reader_) return std::string(words_->words[reader_->next()]);
    return model_.data.token_names[static_cast<std::size_t>(predictions.tokens[item])];
  }

  void add_item(const Predictions& predictions, std::size_t item, std::string& text) {
    const std::string form = token(predictions, item);
    if (columns_.tokens) text += fmt::format(",{}", csv_field(form));
    text += fmt::format(
        ",{},{},{}", class_name(predictions.classes[item], form), predictions.probabilities[item],
        predictions.labels.empty() ? "" : class_name(predictions.labels[item], form));
    if (columns_.probabilities) {
      const auto size = static_cast<std::size_t>(model_.config.output_size);
      for (const float share : std::span(predictions.shares).subspan(item * size, size)) {
        text += fmt::format(",{}", share);
      }
    }
    text += "\n";
  }

  const ModelDescription& model_;
  RowColumns columns_;
  WindowUnits& units_;
  const InputWords* words_;
  std::optional<SpooledIntegers::Reader> reader_;  // of words_
  bool has_lemmas_ = false;
  std::int64_t row_ = 0;
};

/// Datasets `values` [n, O], or `logits` [items, C], `predicted`, `probability` and `label`
/// [items], with `offsets` [n + 1] for tagging, and `probabilities` [items, C] if they are asked
/// for.
void write_hdf5(const std::filesystem::path& path, const Predictions& predictions,
                const ModelDescription& model, const std::vector<std::string>& value_names) {
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
    file.write_strings("", "value_names", value_names);
  } else {
    file.write("logits", matrix, predictions.outputs);
    file.write("predicted", std::span(&items, 1), predictions.classes);
    file.write("probability", std::span(&items, 1), predictions.probabilities);
    if (!predictions.labels.empty()) {
      file.write("label", std::span(&items, 1), predictions.labels);
    }
    if (!predictions.shares.empty()) file.write("probabilities", matrix, predictions.shares);
    file.write_strings("", "class_names", model.data.class_names);
  }
  if (model.config.task == Task::tagging) {
    const auto offsets = static_cast<std::int64_t>(predictions.offsets.size());
    file.write("offsets", std::span(&offsets, 1), predictions.offsets);
  }
  replace_file(path, file.image());
}

}  // namespace

void write_predicted_rows(ModelOnData& model, const RowColumns& columns, const InputWords* words,
                          const std::filesystem::path& output) {
  const ModelConfig& config = model.description().config;
  if (model.description().data.tag_column == to_string(ConlluColumn::lemma) &&
      (words == nullptr || output.extension() == ".h5")) {
    note(
        "classes are what to take off a word's end and to put there: predict --input FILE.conllu "
        "-o NAME.csv gives lemmas, as tag does");
  }
  WindowUnits units(model.dataset().description(), model.split(),
                    config.task == Task::regression ? config.target_size() : config.output_size,
                    &config.loss);
  PredictionAdder adder(model, columns, units);
  Predictions predictions;
  if (output.extension() == ".h5") {
    model.for_each_batch([&](const Batch& batch, std::span<const float> outputs) {
      adder.add(batch, outputs, predictions);
    });
    write_hdf5(output, predictions, model.description(), units.names());
    return;
  }
  TextOutput text(output);
  PredictionTable table(model.description(), columns, words, units);
  text.write(table.header());
  model.for_each_batch([&](const Batch& batch, std::span<const float> outputs) {
    predictions = {};
    adder.add(batch, outputs, predictions);
    text.write(table.rows(predictions));
  });
  text.commit();
}

}  // namespace quadgate::apps
