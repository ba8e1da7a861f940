#include "apps/model/generate.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "apps/model/model_on_data.h"
#include "apps/model/text_tokens.h"
#include "engine/training/network.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {

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
  Network network(description.config, 1, 1, arena, {.carries_states = true});
  checkpoint.load_parameters(network.parameters());
  std::vector<float> logits(static_cast<std::size_t>(description.config.output_size));
  const auto read = [&](std::int32_t token) {
    Batch batch;
    batch.tokens = {token};
    batch.offsets = {0, 1};
    network.predict(batch, logits);
    expect_finite_outputs(checkpoint.path(), logits);
  };
  for (const std::int32_t token : prompt) read(token);
  for (std::int64_t step = 0; step < arguments.length; ++step) {
    const std::int32_t token = sampler.draw(logits);
    text += names.text(token);
    sampler.add(token);
    read(token);
  }
  fmt::print("{}\n", text);
}

}  // namespace quadgate::apps
