#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "apps/model/growing_network.h"
#include "engine/model/batch.h"
#include "io/model/checkpoint.h"
#include "io/model/model_description.h"

namespace quadgate::apps {

/// A token as the text has it.
struct Piece {
  std::string_view text;
  bool after_blank = true;  ///< or first in its line
};

struct Sentence {
  std::vector<Piece> pieces{};
  std::int64_t line = 0;  ///< that it begins in, from 1
};

/// Finds the classes of the pieces of sentences.
class SentenceTagger {
 public:
  /// `input` is what messages call the text. All of them must outlive it.
  SentenceTagger(const Checkpoint& checkpoint, const ModelDescription& model,
                 const std::filesystem::path& input, int threads);

  /// The likeliest class of each piece, with a crf those that are the likeliest together. Throws
  /// DataError, naming input and line, at a piece that is not in the vocabulary if <unk> is not
  /// either.
  std::vector<std::size_t> classes(const std::vector<Sentence>& sentences);

 private:
  Batch tokens_of(const std::vector<Sentence>& sentences) const;

  const Checkpoint& checkpoint_;
  const ModelDescription& model_;
  const std::filesystem::path& input_;
  std::unordered_map<std::string_view, std::int32_t> numbers_;  // of tokens
  int threads_;
  std::optional<GrowingNetwork> network_;  // once there are sentences
};

}  // namespace quadgate::apps
