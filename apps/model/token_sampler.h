#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace quadgate::apps {

/// How the next token is drawn, with the names, the definitions and the order of Hugging Face's
/// `generate`: first the penalty, then the temperature, top-k and top-p.
struct SamplingOptions {
  double temperature = 1;         ///< logits are divided by it; 0: always the likeliest token
  std::int64_t top_k = 0;         ///< the likeliest tokens that remain; 0: all
  double top_p = 1;               ///< the likeliest that together have this probability; 1: all
  double repetition_penalty = 1;  ///< of tokens that the text has: logits above 0 are divided by
                                  ///< it, others multiplied
  std::uint64_t seed = 1;
};

/// Throws InvalidArgument, naming the option as typed, unless temperature is 0 to 100, top_k at
/// least 0, top_p above 0 and at most 1, and the penalty above 0 and finite.
void validate(const SamplingOptions& options);

/// Draws the tokens of a text.
class TokenSampler {
 public:
  /// The options are valid. Token `never`, unless -1, is never drawn.
  TokenSampler(const SamplingOptions& options, std::size_t vocabulary_size, std::int32_t never);

  /// Tells that the text has a token.
  void add(std::int32_t token);
  /// The number of the next token, from the logits of all. It is a function of them, of what the
  /// text has, of the seed and of how many were drawn before.
  std::int32_t draw(std::span<const float> logits);

 private:
  void keep_top_k();
  void keep_top_p();

  SamplingOptions options_;
  std::int32_t never_;
  std::vector<bool> in_text_;
  std::vector<std::size_t> text_;   // each of its tokens once
  std::vector<double> weights_;     // scores at first
  std::vector<std::size_t> order_;  // the likeliest first
  std::uint32_t drawn_ = 0;
};

}  // namespace quadgate::apps
