#include "apps/model/text_report.h"

#include <fmt/format.h>

#include <numbers>
#include <string_view>

#include "apps/model/text_tokens.h"
#include "io/data/vocabulary.h"
#include "io/importers/plain_text.h"
#include "io/importers/utf8.h"

namespace quadgate::apps {
namespace {

ModelConfig with_plain_loss(ModelConfig config) {
  config.loss.label_smoothing = 0;
  config.loss.class_weights.clear();
  return config;
}

}  // namespace

TextReport::TextReport(const ModelDescription& model) : loss_(with_plain_loss(model.config)) {
  const TextTokens tokens(model.data.token_names);
  unknown_token_ = tokens.unknown();
  for (const std::string& name : model.data.token_names) {
    const bool is_unknown = name == kUnknownToken;
    const bool is_word = tokens.level() == TextLevel::words && name != kEndOfLine;
    characters_.push_back(is_word && !is_unknown ? utf8_characters(name) : 1);
    is_word_.push_back(is_word ? 1 : 0);
  }
}

void TextReport::add(const Batch& batch, std::span<const float> logits) {
  nats_ += loss_.of_batch(batch, logits).loss;
  count(batch);
}

void TextReport::count(const Batch& batch) {
  tokens_ += batch.steps();
  for (std::size_t i = 0; i < batch.labels.size(); ++i) {
    const std::int64_t token = batch.labels[i];
    unknown_ += token == unknown_token_ ? 1 : 0;
    const bool is_behind_blank = is_word(token) && is_word(batch.tokens[i]);
    character_count_ += characters_[static_cast<std::size_t>(token)] + (is_behind_blank ? 1 : 0);
  }
}

double TextReport::bits_per_character(double nats) const {
  return nats / std::numbers::ln2 / static_cast<double>(character_count_);
}

void TextReport::tell(Report& report) const {
  const std::chrono::duration<double> seconds = Clock::now() - start_;
  report.numbers.emplace_back("bits_per_character", bits_per_character(nats_));
  report.numbers.emplace_back("tokens_per_s", static_cast<double>(tokens_) / seconds.count());
  if (unknown_ == 0) return;
  report.notes.push_back(fmt::format("{} of {} tokens are {}, each taken for one character",
                                     unknown_, tokens_, kUnknownToken));
}

}  // namespace quadgate::apps
