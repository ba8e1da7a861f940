#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/data/data_description.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {

/// The text that the tokens of a language model stand for, and back. Words have blanks between
/// them and <eos> ends a line; else tokens are characters.
class TextTokens {
 public:
  /// `names` are those of the tokens, and must outlive it.
  explicit TextTokens(const std::vector<std::string>& names);

  TextLevel level() const noexcept { return level_; }
  const std::string& name(std::int32_t token) const {
    return names_[static_cast<std::size_t>(token)];
  }
  /// How a token is written behind others.
  std::string text(std::int32_t token) const;
  /// The token of a name, or <unk>; -1 if neither is in the vocabulary.
  std::int32_t number(std::string_view name) const;
  /// The tokens of a prompt. Throws InvalidArgument at what is not UTF-8, or no token and cannot be
  /// <unk>.
  std::vector<std::int32_t> tokens_of_prompt(std::string_view prompt) const;
  /// What a text begins after: the end of a line, or else the most frequent token.
  std::int32_t beginning() const;
  /// The token <unk>, or -1.
  std::int32_t unknown() const;

 private:
  const std::vector<std::string>& names_;
  std::map<std::string_view, std::int32_t> numbers_;
  TextLevel level_ = TextLevel::characters;
};

/// Throws InvalidArgument, naming the file, if the model is another.
void expect_language_model(const Checkpoint& checkpoint, const ModelDescription& description);

}  // namespace quadgate::apps
