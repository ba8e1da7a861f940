#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "apps/model/report.h"
#include "engine/model/batch.h"
#include "engine/model/loss.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {

/// Bits per character and tokens per second of a language model.
class TextReport {
 public:
  explicit TextReport(const ModelDescription& model);

  void add(const Batch& batch, std::span<const float> logits);
  /// Only the characters of its next tokens.
  void count(const Batch& batch);
  /// Of so many nats, over the characters so far.
  double bits_per_character(double nats) const;
  void tell(Report& report) const;

 private:
  using Clock = std::chrono::steady_clock;

  bool is_word(std::int64_t token) const { return is_word_[static_cast<std::size_t>(token)] != 0; }

  Loss loss_;                             // the plain cross-entropy
  std::vector<std::int64_t> characters_;  // of each token
  std::vector<char> is_word_;             // of each token: blanks stand between two of them
  std::int64_t unknown_token_ = -1;       // if there is one
  Clock::time_point start_ = Clock::now();
  double nats_ = 0;
  std::int64_t tokens_ = 0;
  std::int64_t unknown_ = 0;
  std::int64_t character_count_ = 0;
};

}  // namespace quadgate::apps
