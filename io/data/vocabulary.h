#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quadgate {

/// Numbers words by their first occurrence. A word takes some 30 bytes beside its own.
class WordList {
 public:
  WordList() { letters_.fill(-1); }

  /// The number of a word. Appends a new word.
  std::int32_t number(std::string_view word) {
    if (word.size() != 1) return find_or_add(word);
    const auto letter = static_cast<unsigned char>(word.front());
    return letters_[letter] >= 0 ? letters_[letter] : letters_[letter] = find_or_add(word);
  }
  std::int64_t size() const noexcept { return static_cast<std::int64_t>(words_.size()); }
  std::string_view operator[](std::int64_t number) const {
    return words_[static_cast<std::size_t>(number)];
  }

 private:
  std::int32_t find_or_add(std::string_view word);
  std::int32_t& slot_of(std::string_view word);
  void grow();
  std::string_view keep(std::string_view word);

  std::array<std::int32_t, 256> letters_{};  // numbers of words of one byte, or -1
  std::vector<std::int32_t> slots_;          // a hash table of numbers, or -1; 2^k of them
  std::deque<std::string_view> words_;
  std::vector<std::unique_ptr<char[]>> blocks_;  // the bytes of the words
  char* free_ = nullptr;                         // bytes of the last block
  std::size_t room_ = 0;                         // how many
};

/// The token of words that are not in the vocabulary.
inline constexpr std::string_view kUnknownToken = "<unk>";

/// The tokens of a data set. Token 0 is <unk>; then come the words that the training data hold
/// often enough, the most frequent first, words of one frequency in the order of their bytes.
class Vocabulary {
 public:
  /// Takes the words that occur at least `min_count` times: words[i] occurs counts[i] times. Throws
  /// InvalidArgument unless min_count >= 1.
  Vocabulary(const WordList& words, std::span<const std::int64_t> counts, std::int64_t min_count);

  /// Takes a vocabulary that there is, by token: words that are not in it are <unk>. Throws
  /// DataError, naming the word, if <unk> is not in it either.
  Vocabulary(const WordList& words, const std::vector<std::string>& names);

  /// By token.
  const std::vector<std::string>& names() const noexcept { return names_; }
  /// The token of words[number].
  std::int32_t token_of(std::int64_t number) const {
    return tokens_[static_cast<std::size_t>(number)];
  }

 private:
  std::vector<std::string> names_;
  std::vector<std::int32_t> tokens_;  // by number
};

}  // namespace quadgate
