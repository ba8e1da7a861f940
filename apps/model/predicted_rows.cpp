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
#include "apps/model/predictions.h"
#include "apps/model/text_output.h"
#include "io/data/output_units.h"
#include "io/files/replace_file.h"
#include "io/hdf5/file_writer.h"
#include "io/hdf5/formats.h"
#include "io/importers/conllu_column.h"
#include "io/importers/lemma_script.h"

namespace quadgate::apps {
namespace {

/// The rows of a CSV file, a batch at a time.
class PredictionTable {
 public:
  PredictionTable(const ModelDescription& model, const RowColumns& columns)
      : model_(model), columns_(columns) {}

  std::string header(const std::vector<std::string>& value_names) const {
    std::string names = "row";
    if (model_.config.task == Task::regression) {
      for (const std::string& name : value_names) {
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

  /// Rows of a split follow, with these words, if any, and units. They must outlive them.
  void begin(const InputWords* words, WindowUnits& units) {
    words_ = words;
    units_ = &units;
    before_ = row_;
    if (words != nullptr) reader_.emplace(words->tokens);
    has_lemmas_ = words != nullptr && model_.data.tag_column == to_string(ConlluColumn::lemma);
  }

  /// The rows of the next predictions.
  std::string rows(const Predictions& predictions) {
    std::string text;
    const auto size = static_cast<std::size_t>(model_.config.output_size);
    for (std::size_t row = 0; row + 1 < predictions.offsets.size(); ++row, ++row_) {
      if (model_.config.task == Task::regression) {
        text += fmt::format("{}", row_);
        const OutputUnits& units = units_->of(row_ - before_);
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
  WindowUnits* units_ = nullptr;  // of the split
  const InputWords* words_ = nullptr;
  std::optional<SpooledIntegers::Reader> reader_;  // of words_
  bool has_lemmas_ = false;
  std::int64_t row_ = 0;
  std::int64_t before_ = 0;  // rows in front of the split
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

void note_on_lemmas(const ModelOnData& model, const InputWords* words,
                    const std::filesystem::path& output) {
  if (model.description().data.tag_column != to_string(ConlluColumn::lemma)) return;
  if (words != nullptr && output.extension() != ".h5") return;
  note(
      "classes are what to take off a word's end and to put there: predict --input FILE.conllu "
      "-o NAME.csv gives lemmas, as tag does");
}

class PredictedRows final : public PredictionWriter {
 public:
  PredictedRows(ModelOnData& model, const RowColumns& columns, std::filesystem::path output)
      : model_(model), columns_(columns), output_(std::move(output)) {
    if (output_.extension() == ".h5") return;
    text_.emplace(output_);
    table_.emplace(model_.description(), columns_);
  }

  void add(const InputWords* words) override {
    const ModelConfig& config = model_.description().config;
    if (rows_ == 0) note_on_lemmas(model_, words, output_);
    WindowUnits units(model_.dataset().description(), model_.split(),
                      config.task == Task::regression ? config.target_size() : config.output_size,
                      &config.loss);
    if (rows_ == 0) begin(units.names());
    if (table_) table_->begin(words, units);
    PredictionAdder adder(model_, columns_.probabilities, units);
    model_.for_each_batch([&](const Batch& batch, std::span<const float> outputs) {
      if (text_) predictions_ = {};
      adder.add(batch, outputs, predictions_);
      if (text_) text_->write(table_->rows(predictions_));
    });
    if (text_) text_->flush();
    rows_ += model_.split().size();
  }

  std::string finish() override {
    if (text_) {
      text_->commit();
    } else {
      write_hdf5(output_, predictions_, model_.description(), value_names_);
    }
    return fmt::format("{} sequences", rows_);
  }

 private:
  void begin(const std::vector<std::string>& value_names) {
    value_names_ = value_names;
    if (text_) text_->write(table_->header(value_names));
  }

  ModelOnData& model_;
  RowColumns columns_;
  std::filesystem::path output_;
  std::optional<TextOutput> text_;  // none, and no table: HDF5
  std::optional<PredictionTable> table_;
  std::vector<std::string> value_names_;  // of a regression
  Predictions predictions_;               // of HDF5 all, else of a batch
  std::int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<PredictionWriter> open_predicted_rows(ModelOnData& model, const RowColumns& columns,
                                                      const std::filesystem::path& output) {
  return std::make_unique<PredictedRows>(model, columns, output);
}

}  // namespace quadgate::apps
