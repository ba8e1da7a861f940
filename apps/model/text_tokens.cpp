#include "apps/model/text_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "apps/model/model_on_data.h"
#include "engine/base/error.h"
#include "io/data/vocabulary.h"
#include "io/importers/plain_text.h"
#include "io/importers/utf8.h"

namespace quadgate::apps {

TextTokens::TextTokens(const std::vector<std::string>& names) : names_(names) {
  for (const std::string& name : names) {
    numbers_.emplace(name, static_cast<std::int32_t>(numbers_.size()));
    if (name != kUnknownToken && utf8_size(name) != name.size()) level_ = TextLevel::words;
  }
}

std::string TextTokens::text(std::int32_t token) const {
  if (level_ == TextLevel::characters) return name(token);
  return name(token) == kEndOfLine ? "\n" : name(token) + " ";
}

std::int32_t TextTokens::number(std::string_view name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? unknown() : found->second;
}

std::int32_t TextTokens::unknown() const {
  const auto found = numbers_.find(kUnknownToken);
  return found == numbers_.end() ? -1 : found->second;
}

std::vector<std::int32_t> TextTokens::tokens_of_prompt(std::string_view prompt) const {
  const bool of_words = level_ == TextLevel::words;
  std::vector<std::int32_t> tokens;
  while (!prompt.empty()) {
    std::size_t size = utf8_size(prompt);
    if (size == 0) {
      throw InvalidArgument(fmt::format("--prompt: expected UTF-8, found byte {:#04x}",
                                        static_cast<unsigned char>(prompt.front())));
    }
    if (of_words) size = std::min(prompt.find(' '), prompt.size());
    if (size > 0) {
      const std::string_view name = prompt.substr(0, size);
      tokens.push_back(number(name));
      if (tokens.back() < 0) {
        throw InvalidArgument(
            fmt::format("--prompt: expected tokens of the vocabulary, found '{}'", name));
      }
    }
    prompt.remove_prefix(std::min(prompt.size(), of_words ? size + 1 : size));
  }
  return tokens;
}

std::int32_t TextTokens::beginning() const {
  const auto end = numbers_.find(level_ == TextLevel::words ? kEndOfLine : std::string_view("\n"));
  return end != numbers_.end() ? end->second : unknown() >= 0 ? 1 : 0;
}

void expect_language_model(const Checkpoint& checkpoint, const ModelDescription& description) {
  if (description.data.streams) return;
  throw InvalidArgument(fmt::format("{}: expected a language_model, found a model for {}",
                                    checkpoint.path().string(), task_name(description)));
}

}  // namespace quadgate::apps
