#include "apps/model/generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "apps/model/model_on_data.h"
#include "apps/model/text_tokens.h"
#include "engine/training/network.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {
namespace {

constexpr std::size_t kPiece = 128;  // tokens of the prompt that the network reads at a time

/// A language model that tells what comes after the last token alone.
ModelConfig of_last_step(ModelConfig config) {
  config.task = Task::classification;
  config.pooling = Pooling::last;
  config.loss = {};
  return config;
}

}  // namespace

void generate(const GenerateArguments& arguments) {
  validate(arguments.sampling);
  const Checkpoint checkpoint(arguments.checkpoint);
  const ModelDescription description = checkpoint.description();
  expect_language_model(checkpoint, description);
  const TextTokens names(description.data.token_names);
  auto prompt = names.tokens_of_prompt(arguments.prompt);
  TokenSampler sampler(arguments.sampling, description.data.token_names.size(), names.unknown());
  std::string text;
  for (const std::int32_t token : prompt) {
    text += names.text(token);
    sampler.add(token);
  }
  if (prompt.empty()) prompt.push_back(names.beginning());

  Arena arena(1);
  const auto longest = static_cast<std::int64_t>(std::min(prompt.size(), kPiece));
  Network network(of_last_step(description.config), longest, 1, arena,
                  {.carries_states = true, .forward_only = true});
  checkpoint.load_parameters(network.parameters());
  std::vector<float> logits(static_cast<std::size_t>(description.config.output_size));
  Batch batch;
  const auto read = [&](std::span<const std::int32_t> tokens) {
    batch.tokens.assign(tokens.begin(), tokens.end());
    batch.offsets = {0, std::ssize(batch.tokens)};
    network.predict(batch, logits);
    expect_finite_outputs(checkpoint.path(), logits);
  };
  for (std::span<const std::int32_t> rest = prompt; !rest.empty();) {
    const auto piece = rest.first(std::min(rest.size(), kPiece));
    read(piece);
    rest = rest.subspan(piece.size());
  }
  for (std::int64_t step = 0; step < arguments.length; ++step) {
    const std::int32_t token = sampler.draw(logits);
    text += names.text(token);
    sampler.add(token);
    read(std::span(&token, 1));
  }
  fmt::print("{}\n", text);
}

}  // namespace quadgate::apps
