#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace quadgate {

/// Numbers words in the order in which they come first.
class WordList {
 public:
  /// The number of a word, which is appended if it is new.
  std::int32_t number(std::string_view word);
  const std::vector<std::string>& words() const noexcept { return words_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view word) const noexcept {
      return std::hash<std::string_view>()(word);
    }
  };
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> numbers_;
  std::vector<std::string> words_;
};

/// The token of words that are not in the vocabulary.
inline constexpr std::string_view kUnknownToken = "<unk>";

/// The tokens of a data set: <unk>, which is token 0, then the words that its training data hold
/// often enough, the most frequent first, words of one frequency in the order of their bytes.
class Vocabulary {
 public:
  /// Of the words with these numbers in `words` that occur at least `min_count` times. Throws
  /// InvalidArgument unless min_count >= 1.
  Vocabulary(const std::vector<std::string>& words, std::span<const std::int32_t> numbers,
             std::int64_t min_count);

  /// By token.
  const std::vector<std::string>& names() const noexcept { return names_; }
  /// The token of each of these words.
  std::vector<std::int32_t> tokens_of(const std::vector<std::string>& words) const;

 private:
  std::vector<std::string> names_;
  std::map<std::string, std::int32_t, std::less<>> tokens_;
};

}  // namespace quadgate
