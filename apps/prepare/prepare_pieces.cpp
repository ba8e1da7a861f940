#include "apps/prepare/prepare_pieces.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "apps/common/messages.h"
#include "apps/common/signals.h"
#include "apps/common/warn.h"
#include "apps/prepare/csv_options.h"
#include "apps/prepare/like.h"
#include "apps/prepare/prepare_job.h"
#include "apps/prepare/prepare_notes.h"
#include "engine/base/error.h"
#include "io/importers/conllu.h"
#include "io/importers/csv.h"
#include "io/importers/plain_text.h"
#include "io/importers/ts.h"
#include "io/prepare/dataset_writer.h"
#include "io/prepare/series_writer.h"
#include "io/prepare/token_writer.h"

namespace quadgate::apps {
namespace {

using Answer = std::function<void()>;

/// Says nothing, as what is answered may go to the same terminal.
ImportOptions piece_options(const PrepareJob& job) {
  ImportOptions options = job.import_options([](const FileProgress&) {
    if (stop_requested()) throw StopRequest();
  });
  options.in_pieces = true;
  return options;
}

template <typename Data>
std::int64_t size_of(const Data& data) {
  return data.size();
}

/// Without those of the future.
std::int64_t size_of(const Series& series) {
  return series.parts.empty() ? 0 : series.parts.front().rows.front();
}

/// Writes one data set after the other.
template <typename Data>
class PieceWriter {
 public:
  using Write = std::function<void(Data& data)>;

  PieceWriter(const PrepareJob& job, Write write, const Answer& answer)
      : job_(job), write_(std::move(write)), answer_(answer) {}

  /// What importers hand pieces to.
  PieceTaker<Data> taker() {
    return [this](Data data, std::int64_t line) {
      add(data);
      first_line_ = line + 1;
    };
  }

  /// Takes what is left behind the pieces: more than so many items, or it is nothing new.
  void finish(Data data, std::int64_t old_items = 0) {
    if (first_line_ == 1 || size_of(data) > old_items) add(data);
  }

 private:
  void add(Data& data) {
    with_messages(
        [&] {
          write_(data);
          answer_();
        },
        [&](const std::string& message) { return placed(message); });
  }

  /// What a message tells of rows, it counts from the first one of the piece on.
  std::string placed(const std::string& message) const {
    const bool is_of_data =
        message.find(job_.arguments.output.string()) != std::string::npos ||
        message.find(job_.arguments.inputs.front().string()) != std::string::npos;
    if (first_line_ == 1 || !is_of_data) return message;
    return fmt::format("{} (from line {} on)", message, first_line_);
  }

  const PrepareJob& job_;
  Write write_;
  const Answer& answer_;
  std::int64_t first_line_ = 1;  // of what comes next
};

void prepare_ts_pieces(const PrepareJob& job, const Answer& answer) {
  LabelledSequences total;  // of what was done to values
  PieceWriter<LabelledSequences> writer(
      job,
      [&](const LabelledSequences& data) {
        job.expect_known_task(data);
        write_sequences(job.arguments.output, data, {}, {}, job.options({}));
        job.words->left_out += data.dropped_sequences;
        total.filled_values += data.filled_values;
        total.dropped_steps += data.dropped_steps;
        total.has_times = data.has_times;
      },
      answer);
  const std::filesystem::path& input = job.arguments.inputs.front();
  writer.finish(read_ts(input, job.policy(), piece_options(job), writer.taker()));
  job.say(input, notes_on(total, job.missing()));
}

void prepare_conllu_pieces(const PrepareJob& job, const Answer& answer) {
  const ConlluSource source{.column = parse_conllu_column(job.arguments.column).value(),
                            .level = job.level(TextLevel::words)};
  WordList classes;
  PieceWriter<TaggedSentences> writer(
      job,
      [&](TaggedSentences& data) {
        write_tagging(job.arguments.output, job.words->words, data, {}, {}, job.options({}));
        job.words->tokens = std::move(data.tokens);
      },
      answer);
  writer.finish(read_conllu(job.arguments.inputs, source, job.words->words, classes,
                            piece_options(job), writer.taker()));
}

void prepare_text_pieces(const PrepareJob& job, const Answer& answer) {
  const TextLevel level = job.level(TextLevel::characters);
  PieceWriter<TokenStream> writer(
      job,
      [&](TokenStream& data) {
        PrepareOptions options = job.options({});
        options.recipe->level = to_string(level);
        write_language_model(job.arguments.output, job.words->words, data, {}, {}, options);
        job.words->tokens = std::move(data.tokens);
      },
      answer);
  writer.finish(read_plain_text(job.arguments.inputs, level, job.words->words, piece_options(job),
                                writer.taker()),
                1);
}

void prepare_csv_pieces(const PrepareJob& job, const Answer& answer) {
  const Window& window = *job.known->data.window;
  constexpr std::int64_t kMost = std::int64_t{1} << 40;  // so that no sum of them overflows
  const RowWindows windows{
      .rows = std::min(window.input_len, kMost) + std::min(window.horizon, kMost),
      .stride = std::min(window.stride, kMost)};
  const std::filesystem::path& input = job.arguments.inputs.front();
  CsvImporter importer(csv_options(job), piece_options(job));
  Recipe recipe;
  PieceWriter<Series> writer(
      job,
      [&](Series& rows) {
        recipe = importer.recipe(job.known->data.recipe->step);
        expect_same_step(*job.known, recipe, input, importer.first_step_back());
        PrepareOptions options = job.options({});
        options.recipe = recipe;
        write_forecast(job.arguments.output, std::move(rows), options);
      },
      answer);
  importer.read_in_pieces(input, windows, writer.taker());
  recipe = importer.recipe(job.known->data.recipe->step);
  Series rest = importer.take();
  const Lines notes = notes_on(rest, job.missing());
  writer.finish(std::move(rest), windows.rows - 1);
  job.say(input, notes);
  for (const std::string& line : importer.findings().warnings) warn(line);
  const std::string zones = note_on_zones(*job.known, recipe, input);
  if (!zones.empty()) note(zones);
}

}  // namespace

bool comes_in_pieces(const KnownData& known, bool windows) {
  if (!known.data.recipe) return false;
  const Recipe& recipe = *known.data.recipe;
  if (recipe.kind != "csv") {
    return recipe.kind == "conllu" || recipe.kind == "text" ||
           (recipe.kind == "ts" && known.task != "forecast");
  }
  // Rows of other series may follow; a series that the model does not know has the scale of all of
  // its rows; times are written as the step of all of them tells.
  return windows && known.data.window && recipe.group.empty() && known.data.series_scales.empty() &&
         (recipe.time.empty() || recipe.step.is_known());
}

void prepare_pieces(PrepareArguments arguments, const KnownData& known, InputWords& words,
                    const std::function<void()>& answer) {
  follow(known, arguments);
  const PrepareJob job{.arguments = std::move(arguments), .known = &known, .words = &words};
  catch_stop_signals(/*ends_reads=*/true);
  const std::string& kind = job.arguments.kind;
  if (kind == "ts") return prepare_ts_pieces(job, answer);
  if (kind == "conllu") return prepare_conllu_pieces(job, answer);
  if (kind == "text") return prepare_text_pieces(job, answer);
  prepare_csv_pieces(job, answer);
}

}  // namespace quadgate::apps
