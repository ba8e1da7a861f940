#include "apps/model/predict.h"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "apps/common/output_file.h"
#include "apps/common/signals.h"
#include "apps/model/forecast.h"
#include "apps/model/forecast_file.h"
#include "apps/model/input_data.h"
#include "apps/model/model_on_data.h"
#include "apps/model/predicted_rows.h"
#include "apps/model/prediction_writer.h"
#include "apps/model/surprisal.h"
#include "apps/model/text_output.h"
#include "engine/base/error.h"
#include "io/hdf5/formats.h"

namespace quadgate::apps {
namespace {

void expect_output(const PredictArguments& arguments) {
  const auto& output = arguments.output;
  if (is_standard_stream(output)) return;
  const std::string extension = output.extension().string();
  if (extension == ".conllu") {
    throw InvalidArgument(fmt::format(
        "--output: expected a name in .csv, .h5 or .html, or -, found '{}' ('quadgate tag {} "
        "IN.conllu -o {}' writes CoNLL-U)",
        output.string(), arguments.checkpoint.string(), output.string()));
  }
  if (extension == ".parquet") {
    throw InvalidArgument(
        fmt::format("--output: expected a name in .csv, .h5 or .html, or -, found '{}' "
                    "(pandas.read_csv(\"out.csv\").to_parquet(\"{}\") makes Parquet of a table)",
                    output.string(), output.string()));
  }
  if (extension != ".csv" && extension != ".h5" && !is_page(output)) {
    throw InvalidArgument(fmt::format(
        "--output: expected a name in .csv, .h5 or .html, or -, found '{}'", output.string()));
  }
  expect_no_input(output, arguments.data);
  expect_no_input(output, std::span(&arguments.checkpoint, 1));
  if (!arguments.input.empty()) expect_no_input(output, std::span(&arguments.input, 1));
  if (!arguments.future.empty()) expect_no_input(output, std::span(&arguments.future, 1));
  if (!arguments.force) expect_same_format(output, kPredictionsFormat);
}

/// Throws InvalidArgument, naming an option that a model of another kind has no use for.
void expect_fitting(const PredictArguments& arguments, const ModelDescription& model) {
  const auto expect = [&](bool is_given, std::string_view option, bool fits, const char* use) {
    if (!is_given || fits) return;
    throw InvalidArgument(fmt::format("{}: expected a model {}, found one for {} in {}", option,
                                      use, task_name(model), arguments.checkpoint.string()));
  };
  const bool forecasts = model.data.window.has_value();
  const bool classifies = model.config.task != Task::regression && !model.data.streams;
  expect(arguments.steps.has_value(), "--steps", forecasts, "that forecasts");
  expect(arguments.wide, "--wide", forecasts, "that forecasts");
  expect(!arguments.quantiles.empty(), "--quantiles", forecasts, "that forecasts");
  expect(arguments.windows, "--windows", forecasts, "that forecasts");
  expect(arguments.probabilities, "--probabilities", classifies, "of classes");
  expect(is_page(arguments.output), "--output in .html", forecasts, "that forecasts");
  const bool is_of_split = arguments.split && !arguments.windows;
  for (const auto& [is_given, option] :
       {std::pair(arguments.steps.has_value(), "--steps"), std::pair(arguments.wide, "--wide"),
        std::pair(!arguments.quantiles.empty(), "--quantiles"),
        std::pair(is_page(arguments.output), "--output in .html")}) {
    if (!is_of_split || !is_given) continue;
    throw InvalidArgument(fmt::format("{}: expected --windows beside --split, found none", option));
  }
  if (arguments.split && !arguments.input.empty()) {
    throw InvalidArgument("--split: expected none beside --input, which has none");
  }
}

/// Throws InvalidArgument if there are rows of known columns that nobody reads.
void expect_future(const PredictArguments& arguments, const ModelDescription& model) {
  if (arguments.future.empty()) return;
  if (arguments.input.empty()) {
    throw InvalidArgument(
        "--future: expected --input, whose last rows it goes on from, found none");
  }
  if (model.data.known_names.empty() || !model.data.recipe || model.data.recipe->kind != "csv") {
    throw InvalidArgument(fmt::format(
        "--future: expected a model with columns that are known beforehand (prepare csv --known), "
        "found none in {}",
        arguments.checkpoint.string()));
  }
}

/// The split whose inputs are read.
std::optional<std::string> split_of(const PredictArguments& arguments,
                                    const ModelDescription& model) {
  if (arguments.split || !model.data.window || arguments.windows) return arguments.split;
  return kFuture;
}

/// Predicts for one data set after the other.
class Predictor {
 public:
  /// `source` is what messages call the data.
  Predictor(const PredictArguments& arguments, ModelDescription description, std::string source)
      : arguments_(arguments), description_(std::move(description)), source_(std::move(source)) {
    if (description_.data.streams) description_.data.streams->count = 1;  // the text, front to back
  }

  /// `words` are those of a raw file.
  void add(std::span<const std::filesystem::path> data, const InputWords* words) {
    if (model_) {
      model_->go_on(data);
    } else {
      model_.emplace(Checkpoint(arguments_.checkpoint), description_, data,
                     split_of(arguments_, description_), arguments_.threads);
      note_new_series(*model_, source_);
      writer_ = open_writer(data);
    }
    writer_->add(words);
    is_raw_ = words != nullptr;
  }

  /// What was written where.
  std::string finish() {
    const std::string what = writer_->finish();
    if (is_standard_stream(arguments_.output)) return "";
    const bool is_of_split = !is_raw_ && model_->split_name() != kFuture;
    return fmt::format("wrote {}: {} of {}\n", arguments_.output.string(), what,
                       is_of_split ? model_->split_name() : source_);
  }

 private:
  std::unique_ptr<PredictionWriter> open_writer(std::span<const std::filesystem::path> data) {
    const std::filesystem::path& output = arguments_.output;
    if (description_.data.streams) return open_surprisals(*model_, output);
    if (description_.data.window && (!arguments_.split || arguments_.windows)) {
      return open_forecasts(*model_, data,
                            {arguments_.steps, arguments_.wide, arguments_.quantiles,
                             fmt::format("{} on {}", arguments_.checkpoint.string(), source_)},
                            output);
    }
    const bool has_tokens = description_.config.task == Task::tagging &&
                            description_.config.has_embedding() && !arguments_.split;
    return open_predicted_rows(
        *model_, {.tokens = has_tokens, .probabilities = arguments_.probabilities}, output);
  }

  const PredictArguments& arguments_;
  ModelDescription description_;
  std::string source_;
  std::optional<ModelOnData> model_;
  std::unique_ptr<PredictionWriter> writer_;
  bool is_raw_ = false;
};

void expect_all_rows(const PredictArguments& arguments, const InputData& input) {
  const std::int64_t left_out = input.words().left_out;
  if (left_out == 0) return;
  throw DataError(fmt::format(
      "{}: expected values of all rows, as predictions have a row each, found {} sequences with "
      "missing ones, which the data of {} were without (prepare --missing drop)",
      input.name(), left_out, arguments.checkpoint.string()));
}

}  // namespace

std::string write_predictions(const PredictArguments& arguments) {
  expect_output(arguments);
  const ModelDescription description = Checkpoint(arguments.checkpoint).description();
  expect_fitting(arguments, description);
  expect_future(arguments, description);
  if (arguments.input.empty()) {
    catch_stop_signals();
    Predictor predictor(arguments, description, arguments.data.at(0).string());
    predictor.add(arguments.data, nullptr);
    return predictor.finish();
  }
  const KnownData known{arguments.checkpoint, task_name(description), description.data};
  InputData input(arguments.input, known, arguments.output, arguments.future);
  Predictor predictor(arguments, description, input.name());
  const auto add = [&] {
    expect_all_rows(arguments, input);
    predictor.add(std::span(&input.path(), 1), &input.words());
  };
  if (is_standard_stream(arguments.output)) {
    input.answer_pieces(arguments.windows, add);
  } else {
    input.answer(add);
  }
  std::string done = predictor.finish();
  input.tell_notes();
  return done;
}

void predict(const PredictArguments& arguments) { fmt::print("{}", write_predictions(arguments)); }

}  // namespace quadgate::apps
