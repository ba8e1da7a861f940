#include "io/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/error.h"

namespace quadgate {

std::int32_t WordList::number(std::string_view word) {
  const auto found = numbers_.find(word);
  if (found != numbers_.end()) return found->second;
  const auto number = static_cast<std::int32_t>(words_.size());
  words_.emplace_back(word);
  numbers_.emplace(word, number);
  return number;
}

Vocabulary::Vocabulary(const std::vector<std::string>& words, std::span<const std::int32_t> numbers,
                       std::int64_t min_count) {
  if (min_count < 1) {
    throw InvalidArgument(fmt::format("min_count: expected at least 1, found {}", min_count));
  }
  std::vector<std::int64_t> counts(words.size());
  for (const std::int32_t number : numbers) ++counts[static_cast<std::size_t>(number)];
  std::vector<std::pair<std::int64_t, std::string>> frequent;  // minus the count, to sort by it
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (counts[i] >= min_count && words[i] != kUnknownToken) {
      frequent.emplace_back(-counts[i], words[i]);
    }
  }
  std::ranges::sort(frequent);
  names_.emplace_back(kUnknownToken);
  for (auto& [count, word] : frequent) names_.push_back(std::move(word));
  for (std::size_t token = 0; token < names_.size(); ++token) {
    tokens_.emplace(names_[token], static_cast<std::int32_t>(token));
  }
}

std::vector<std::int32_t> Vocabulary::tokens_of(const std::vector<std::string>& words) const {
  std::vector<std::int32_t> tokens;
  for (const std::string& word : words) {
    const auto found = tokens_.find(word);
    tokens.push_back(found == tokens_.end() ? 0 : found->second);
  }
  return tokens;
}

}  // namespace quadgate
