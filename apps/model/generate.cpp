#include "apps/model/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <string_view>

#include "apps/model/model_on_data.h"
#include "engine/base/error.h"
#include "engine/base/random.h"
#include "engine/training/network.h"
#include "io/importers/plain_text.h"
#include "io/importers/utf8.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {
namespace {

constexpr std::string_view kUnknown = "<unk>";

/// The text that tokens stand for, and back.
class Vocabulary {
 public:
  explicit Vocabulary(const std::vector<std::string>& names) : names_(names) {
    for (const std::string& name : names) {
      const auto token = static_cast<std::int32_t>(numbers_.size());
      numbers_.emplace(name, token);
      of_words_ = of_words_ || (name != kUnknown && utf8_size(name) != name.size());
    }
  }

  /// How a token is written behind others.
  std::string text(std::int32_t token) const {
    const std::string& name = names_[static_cast<std::size_t>(token)];
    if (!of_words_) return name;
    return name == kEndOfLine ? "\n" : name + " ";
  }

  /// The tokens of a prompt. Throws InvalidArgument at what is not UTF-8, or no token and cannot be
  /// kUnknown.
  std::vector<std::int32_t> tokens(std::string_view prompt) const {
    std::vector<std::int32_t> tokens;
    while (!prompt.empty()) {
      std::size_t size = utf8_size(prompt);
      if (size == 0) {
        throw InvalidArgument(fmt::format("--prompt: expected UTF-8, found byte {:#04x}",
                                          static_cast<unsigned char>(prompt.front())));
      }
      if (of_words_) size = std::min(prompt.find(' '), prompt.size());
      if (size > 0) tokens.push_back(number(prompt.substr(0, size)));
      prompt.remove_prefix(std::min(prompt.size(), of_words_ ? size + 1 : size));
    }
    return tokens;
  }

  /// What a text begins after: the end of a line, or else the most frequent token.
  std::int32_t beginning() const {
    const auto end = numbers_.find(of_words_ ? kEndOfLine : std::string_view("\n"));
    return end != numbers_.end() ? end->second : numbers_.contains(kUnknown) ? 1 : 0;
  }

 private:
  std::int32_t number(std::string_view name) const {
    auto found = numbers_.find(name);
    if (found == numbers_.end()) found = numbers_.find(kUnknown);
    if (found == numbers_.end()) {
      throw InvalidArgument(
          fmt::format("--prompt: expected tokens of the vocabulary, found '{}'", name));
    }
    return found->second;
  }

  const std::vector<std::string>& names_;
  std::map<std::string_view, std::int32_t> numbers_;
  bool of_words_ = false;
};

/// A token drawn from softmax(logits / temperature), the likeliest at temperature 0; never
/// `unknown`.
std::int32_t draw(std::span<const float> logits, std::int64_t unknown, double temperature,
                  std::uint64_t seed, std::int64_t step) {
  std::vector<double> weights(logits.begin(), logits.end());
  if (unknown >= 0) weights[static_cast<std::size_t>(unknown)] = -INFINITY;
  const auto likeliest = std::ranges::max_element(weights);
  if (temperature == 0) return static_cast<std::int32_t>(likeliest - weights.begin());
  const double most = *likeliest;
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp((weight - most) / temperature);
  const auto words = philox(seed, {static_cast<std::uint32_t>(RandomUse::sample),
                                   static_cast<std::uint32_t>(step), 0, 0});
  double left = sum * static_cast<double>(to_unit_float(words[0]));
  std::size_t token = 0;
  for (std::size_t i = 0; i < weights.size() && left >= 0; ++i) {
    if (weights[i] == 0) continue;
    token = i;
    left -= weights[i];
  }
  return static_cast<std::int32_t>(token);
}

}  // namespace

void generate(const GenerateArguments& arguments) {
  const Checkpoint checkpoint(arguments.checkpoint);
  const ModelDescription description = checkpoint.description();
  if (!description.data.streams) {
    throw InvalidArgument(fmt::format("{}: expected a language_model, found a model for {}",
                                      checkpoint.path().string(), task_name(description)));
  }
  const Vocabulary vocabulary(description.data.token_names);
  const auto unknown = std::ranges::find(description.data.token_names, kUnknown);
  const std::int64_t never = unknown == description.data.token_names.end()
                                 ? -1
                                 : unknown - description.data.token_names.begin();
  auto prompt = vocabulary.tokens(arguments.prompt);
  std::string text;
  for (const std::int32_t token : prompt) text += vocabulary.text(token);
  if (prompt.empty()) prompt.push_back(vocabulary.beginning());

  Arena arena(1);
  Network network(description.config, 1, 1, arena, {.carries_states = true});
  checkpoint.load_parameters(network.parameters());
  std::vector<float> logits(static_cast<std::size_t>(description.config.output_size));
  const auto read = [&](std::int32_t token) {
    Batch batch;
    batch.tokens = {token};
    batch.offsets = {0, 1};
    network.predict(batch, logits);
  };
  for (const std::int32_t token : prompt) read(token);
  for (std::int64_t step = 0; step < arguments.length; ++step) {
    const auto token = draw(logits, never, arguments.temperature, arguments.seed, step);
    text += vocabulary.text(token);
    read(token);
  }
  fmt::print("{}\n", text);
}

}  // namespace quadgate::apps
