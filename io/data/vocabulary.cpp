#include "io/data/vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <unordered_map>
#include <utility>

#include "engine/base/error.h"

namespace quadgate {

std::int32_t WordList::find_or_add(std::string_view word) {
  if (4 * (words_.size() + 1) > 3 * slots_.size()) grow();
  std::int32_t& slot = slot_of(word);
  if (slot < 0) {
    if (words_.size() == std::numeric_limits<std::int32_t>::max()) {
      throw DataError(fmt::format("expected at most {} different words", words_.size()));
    }
    slot = static_cast<std::int32_t>(words_.size());
    words_.push_back(keep(word));
  }
  return slot;
}

/// The slot of a word, or the empty one where it belongs.
std::int32_t& WordList::slot_of(std::string_view word) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = std::hash<std::string_view>()(word) & mask;
  while (slots_[i] >= 0 && words_[static_cast<std::size_t>(slots_[i])] != word) i = (i + 1) & mask;
  return slots_[i];
}

void WordList::grow() {
  slots_.assign(std::max<std::size_t>(2 * slots_.size(), 256), -1);
  for (std::size_t i = 0; i < words_.size(); ++i) slot_of(words_[i]) = static_cast<std::int32_t>(i);
}

std::string_view WordList::keep(std::string_view word) {
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  if (word.size() > room_) {
    room_ = std::max(kBlock, word.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(room_));
    free_ = blocks_.back().get();
  }
  const std::string_view kept(free_, word.size());
  free_ = std::ranges::copy(word, free_).out;
  room_ -= word.size();
  return kept;
}

Vocabulary::Vocabulary(const WordList& words, std::span<const std::int64_t> counts,
                       std::int64_t min_count) {
  if (min_count < 1) {
    throw InvalidArgument(fmt::format("min_count: expected at least 1, found {}", min_count));
  }
  std::vector<std::int32_t> frequent;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto number = static_cast<std::int32_t>(i);
    if (counts[i] >= min_count && words[number] != kUnknownToken) frequent.push_back(number);
  }
  std::ranges::sort(frequent, [&](std::int32_t a, std::int32_t b) {
    const std::int64_t more =
        counts[static_cast<std::size_t>(a)] - counts[static_cast<std::size_t>(b)];
    return more != 0 ? more > 0 : words[a] < words[b];
  });
  tokens_.resize(static_cast<std::size_t>(words.size()), 0);
  names_.emplace_back(kUnknownToken);
  for (const std::int32_t number : frequent) {
    tokens_[static_cast<std::size_t>(number)] = static_cast<std::int32_t>(names_.size());
    names_.emplace_back(words[number]);
  }
}

Vocabulary::Vocabulary(const WordList& words, const std::vector<std::string>& names)
    : names_(names) {
  std::unordered_map<std::string_view, std::int32_t> numbers;
  for (const std::string& name : names_) {
    numbers.emplace(name, static_cast<std::int32_t>(numbers.size()));
  }
  const auto unknown = numbers.find(kUnknownToken);
  for (std::int64_t i = 0; i < words.size(); ++i) {
    auto found = numbers.find(words[i]);
    if (found == numbers.end()) found = unknown;
    if (found == numbers.end()) {
      throw DataError(
          fmt::format("expected tokens of the vocabulary ({} of them, without {}), found '{}'",
                      names.size(), kUnknownToken, words[i]));
    }
    tokens_.push_back(found->second);
  }
}

}  // namespace quadgate
