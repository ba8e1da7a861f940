#include "apps/model/surprisal.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/warn.h"
#include "apps/model/text_output.h"
#include "apps/model/text_tokens.h"
#include "engine/metrics/softmax.h"
#include "io/data/vocabulary.h"
#include "io/files/replace_file.h"
#include "io/hdf5/file_writer.h"
#include "io/hdf5/formats.h"

namespace quadgate::apps {
namespace {

void write_arrays(const std::filesystem::path& output, const std::vector<std::string>& names,
                  const std::vector<std::int64_t>& tokens, const std::vector<double>& surprisals) {
  auto file = hdf5::FileWriter::create(output);
  file.write_string("", "format", kPredictionsFormat);
  file.write_int("", "format_version", 3);
  file.write_string("", "task", "language_model");
  file.write_strings("", "token_names", names);
  const std::int64_t count = std::ssize(tokens);
  file.write("token", std::span(&count, 1), tokens);
  file.write("surprisal", std::span(&count, 1), surprisals);
  replace_file(output, file.image());
}

class Surprisals final : public PredictionWriter {
 public:
  Surprisals(ModelOnData& model, std::filesystem::path output)
      : model_(model),
        names_(model.description().data.token_names),
        output_(std::move(output)),
        unknown_token_(TextTokens(names_).unknown()) {
    if (output_.extension() == ".h5") return;
    text_.emplace(output_);
    text_->write("position,token,surprisal\n");
  }

  void add(const InputWords* words) override {
    words_ = words;
    if (words != nullptr) reader_.emplace(words->tokens);
    bool is_first = true;
    const auto size = static_cast<std::size_t>(model_.description().config.output_size);
    model_.for_each_batch([&](const Batch& batch, std::span<const float> outputs) {
      if (std::exchange(is_first, false)) begin(batch.tokens.front());
      for (std::size_t i = 0; i < batch.labels.size(); ++i) {
        add(batch.labels[i], surprisal_of(outputs.subspan(i * size, size), batch.labels[i]));
      }
    });
    if (text_) text_->flush();
  }

  std::string finish() override {
    if (text_) {
      text_->commit();
    } else {
      write_arrays(output_, names_, tokens_, surprisals_);
    }
    note_unknown(unknown_, count_ + 1);
    return fmt::format("the tokens' surprisal, perplexity {:.6g},",
                       std::exp2(sum_ / static_cast<double>(count_)));
  }

 private:
  /// The first token of a piece is the last one of the piece before.
  void begin(std::int64_t token) {
    if (position_ == 0) return add(token, std::numeric_limits<double>::quiet_NaN());
    if (reader_) reader_->next();
  }

  void add(std::int64_t token, double surprisal) {
    unknown_ += token == unknown_token_ ? 1 : 0;
    if (text_) {
      const std::string name = reader_ ? std::string(words_->words[reader_->next()])
                                       : names_[static_cast<std::size_t>(token)];
      text_->write(fmt::format("{},{},{}\n", position_, csv_field(name),
                               std::isnan(surprisal) ? "" : fmt::format("{:.8g}", surprisal)));
    } else {
      tokens_.push_back(token);
      surprisals_.push_back(surprisal);
    }
    ++position_;
    if (std::isnan(surprisal)) return;
    sum_ += surprisal;
    ++count_;
  }

  ModelOnData& model_;
  const std::vector<std::string>& names_;  // of tokens
  std::filesystem::path output_;
  std::int64_t unknown_token_;
  std::optional<TextOutput> text_;  // none: HDF5, of these arrays
  std::vector<std::int64_t> tokens_;
  std::vector<double> surprisals_;
  const InputWords* words_ = nullptr;
  std::optional<SpooledIntegers::Reader> reader_;  // of words_
  std::int64_t position_ = 0;
  std::int64_t unknown_ = 0;
  std::int64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace

double surprisal_of(std::span<const float> logits, std::int64_t token) {
  const double logit = logits[static_cast<std::size_t>(token)];
  return (SoftmaxSum(logits).log() - logit) / std::numbers::ln2;
}

void note_unknown(std::int64_t unknown, std::int64_t tokens) {
  if (unknown == 0) return;
  note(fmt::format("{} of {} tokens are not in the vocabulary and scored as {}", unknown, tokens,
                   kUnknownToken));
}

std::unique_ptr<PredictionWriter> open_surprisals(ModelOnData& model,
                                                  const std::filesystem::path& output) {
  return std::make_unique<Surprisals>(model, output);
}

}  // namespace quadgate::apps
