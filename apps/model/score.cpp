#include "apps/model/score.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "apps/model/model_on_data.h"
#include "apps/model/surprisal.h"
#include "apps/model/text_tokens.h"
#include "engine/base/error.h"
#include "engine/training/network.h"
#include "io/data/vocabulary.h"
#include "io/importers/plain_text.h"
#include "io/importers/utf8.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {
namespace {

/// Calls `body` with each token of a text, what the text has in its place, and its surprisal.
template <typename Body>
class Scorer {
 public:
  Scorer(const Checkpoint& checkpoint, const ModelConfig& config, Body body)
      : path_(checkpoint.path()),
        arena_(1),
        network_(config, kPiece, 1, arena_, {.carries_states = true, .forward_only = true}),
        outputs_(static_cast<std::size_t>(config.output_size)),
        body_(body) {
    checkpoint.load_parameters(network_.parameters());
  }

  /// Before the text.
  void begin(std::int32_t token) { add(token, -1, {}); }
  void add(std::int32_t token, std::string_view name) { add(token, token, name); }

  void finish() {
    if (!inputs_.empty()) run();
  }

 private:
  static constexpr std::int64_t kPiece = 128;  // tokens that the network reads at a time

  /// The network reads the token before, and is asked for `target`, unless that is -1.
  void add(std::int32_t token, std::int32_t target, std::string_view name) {
    if (last_ >= 0) {
      inputs_.push_back(last_);
      targets_.push_back(target);
      names_.emplace_back(name);
      if (std::ssize(inputs_) == kPiece) run();
    }
    last_ = token;
  }

  void run() {
    Batch batch;
    batch.tokens = inputs_;
    batch.offsets = {0, std::ssize(inputs_)};
    logits_.resize(inputs_.size() * outputs_);
    network_.predict(batch, logits_);
    expect_finite_outputs(path_, logits_);
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      if (targets_[i] < 0) continue;
      const auto logits = std::span(logits_).subspan(i * outputs_, outputs_);
      body_(targets_[i], names_[i], surprisal_of(logits, targets_[i]));
    }
    inputs_.clear();
    targets_.clear();
    names_.clear();
  }

  std::filesystem::path path_;  // of the checkpoint
  Arena arena_;
  Network network_;
  std::size_t outputs_;
  Body body_;
  std::int32_t last_ = -1;  // the token before
  std::vector<std::int32_t> inputs_, targets_;
  std::vector<std::string> names_;
  std::vector<float> logits_;
};

/// Sums over a text.
struct Score {
  std::int64_t tokens = 0;
  std::int64_t unknown = 0;
  std::int64_t characters = 0;  ///< also a blank between words, and the ends of lines
  double bits = 0;
  bool after_word = false;

  void add(std::string_view name, TextLevel level, bool is_unknown, double its_bits) {
    ++tokens;
    unknown += is_unknown ? 1 : 0;
    bits += its_bits;
    const bool is_word = level == TextLevel::words && name != kEndOfLine;
    if (!is_word) {
      ++characters;
    } else {
      characters += utf8_characters(name) + (after_word ? 1 : 0);
    }
    after_word = is_word;
  }
};

/// A token in a line of its own.
std::string shown(const std::string& name) {
  return name == "\n" ? "\\n" : name == "\r" ? "\\r" : name == "\t" ? "\\t" : name;
}

void print_token(const std::string& name, double bits, bool json) {
  if (json) {
    const nlohmann::ordered_json record{{"token", name}, {"bits", bits}};
    // A name in a data set of another program may not be UTF-8.
    constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
    fmt::print("{}\n", record.dump(-1, ' ', false, kReplace));
  } else {
    fmt::print("{:9.4f}  {}\n", bits, shown(name));
  }
}

void print_sums(const Score& score, bool json) {
  const double a_character = score.bits / static_cast<double>(score.characters);
  const double perplexity = std::exp2(score.bits / static_cast<double>(score.tokens));
  if (json) {
    const nlohmann::ordered_json record{{"tokens", score.tokens},
                                        {"unknown", score.unknown},
                                        {"characters", score.characters},
                                        {"bits", score.bits},
                                        {"bits_per_character", a_character},
                                        {"perplexity", perplexity}};
    fmt::print("{}\n", record.dump());
    return;
  }
  fmt::print("{} tokens, {} characters\n{:<18} {:.6g}\n{:<18} {:.6g}\n{:<18} {:.6g}\n",
             score.tokens, score.characters, "bits", score.bits, "bits_per_character", a_character,
             "perplexity", perplexity);
}

}  // namespace

void score(const ScoreArguments& arguments) {
  const Checkpoint checkpoint(arguments.checkpoint);
  const ModelDescription description = checkpoint.description();
  expect_language_model(checkpoint, description);
  const TextTokens names(description.data.token_names);
  Score score;
  const auto tell = [&](std::int32_t token, const std::string& name, double bits) {
    score.add(name, names.level(), names.name(token) != name, bits);
    print_token(name, bits, arguments.json);
  };
  Scorer scorer(checkpoint, description.config, tell);
  const auto prompt = names.tokens_of_prompt(arguments.prompt);
  if (prompt.empty()) scorer.begin(names.beginning());
  for (const std::int32_t token : prompt) scorer.begin(token);
  const std::string path = arguments.text == "-" ? "/dev/stdin" : arguments.text.string();
  std::int64_t count = 0;
  read_tokens(path, names.level(), [&](std::string_view name) {
    const std::int32_t token = names.number(name);
    if (token < 0) {
      throw DataError(fmt::format("{}: token {}: expected one of the vocabulary, found '{}'", path,
                                  count + 1, name));
    }
    ++count;
    scorer.add(token, name);
  });
  scorer.finish();
  print_sums(score, arguments.json);
  note_unknown(score.unknown, score.tokens);
}

}  // namespace quadgate::apps
