#include "apps/model/sentence_tagger.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "apps/model/model_on_data.h"
#include "engine/base/error.h"
#include "engine/model/crf_batch.h"
#include "io/data/vocabulary.h"

namespace quadgate::apps {
namespace {

/// Rows `first` to `end` of a batch of tokens.
Batch part_of(const Batch& all, std::int64_t first, std::int64_t end) {
  const auto offsets = all.offsets.begin() + first;
  Batch part;
  part.tokens.assign(all.tokens.begin() + *offsets, all.tokens.begin() + offsets[end - first]);
  for (auto offset = offsets; offset <= offsets + (end - first); ++offset) {
    part.offsets.push_back(*offset - *offsets);
  }
  return part;
}

}  // namespace

SentenceTagger::SentenceTagger(const Checkpoint& checkpoint, const ModelDescription& model,
                               const std::filesystem::path& input, int threads)
    : checkpoint_(checkpoint), model_(model), input_(input), threads_(threads) {
  for (const std::string& name : model_.data.token_names) {
    numbers_.emplace(name, static_cast<std::int32_t>(numbers_.size()));
  }
}

/// The sentences that have tokens.
Batch SentenceTagger::tokens_of(const std::vector<Sentence>& sentences) const {
  Batch batch;
  batch.offsets = {0};
  for (const Sentence& sentence : sentences) {
    for (const Piece& piece : sentence.pieces) {
      auto found = numbers_.find(piece.text);
      if (found == numbers_.end()) found = numbers_.find(kUnknownToken);
      if (found == numbers_.end()) {
        throw DataError(fmt::format("{}:{}: expected tokens of the vocabulary, found '{}'",
                                    input_.string(), sentence.line, piece.text));
      }
      batch.tokens.push_back(found->second);
    }
    const std::int64_t end = std::ssize(batch.tokens);
    if (end > batch.steps()) batch.offsets.push_back(end);
  }
  return batch;
}

std::vector<std::size_t> SentenceTagger::classes(const std::vector<Sentence>& sentences) {
  const Batch all = tokens_of(sentences);
  std::vector<std::size_t> classes;
  if (all.rows() == 0) return classes;
  std::int64_t longest = 0;
  for (std::size_t row = 1; row < all.offsets.size(); ++row) {
    longest = std::max(longest, all.offsets[row] - all.offsets[row - 1]);
  }
  if (network_) {
    network_->fit(longest, all.rows());
  } else {
    network_.emplace(checkpoint_, model_.config, longest, all.rows(), threads_);
  }
  Network& network = **network_;
  const std::int64_t rows = network_->batch_size();
  const std::int64_t size = model_.config.output_size;
  std::optional<CrfBatch> crf;
  if (model_.config.crf) crf.emplace(network.parameters());
  std::vector<float> logits;
  for (std::int64_t row = 0; row < all.rows(); row += rows) {
    const Batch batch = part_of(all, row, std::min(row + rows, all.rows()));
    logits.resize(static_cast<std::size_t>(batch.steps() * size));
    network.predict(batch, logits);
    expect_finite_outputs(checkpoint_.path(), logits);
    if (crf) {
      for (const std::int64_t tag : crf->decode(batch, logits)) {
        classes.push_back(static_cast<std::size_t>(tag));
      }
      continue;
    }
    for (auto first = logits.begin(); first != logits.end(); first += size) {
      const auto best = std::max_element(first, first + size);
      classes.push_back(static_cast<std::size_t>(best - first));
    }
  }
  return classes;
}

}  // namespace quadgate::apps
