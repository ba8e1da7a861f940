#include "training.h"

#include <cmath>
#include <cstddef>
#include <vector>

#include "engine/model/initialization.h"
#include "engine/training/trainer.h"

namespace long_memory {
namespace {

constexpr std::uint32_t kCheckBatches = 8;
constexpr std::uint32_t kTestBatches = 32;
// Where the numbers of batches to check and to test begin, far beyond those to train on.
constexpr std::uint32_t kFirstCheck = 1U << 30U;
constexpr std::uint32_t kFirstTest = 1U << 31U;

}  // namespace

void initialize(const Model& model, quadgate::Network& network, std::uint64_t seed) {
  network.parameters().initialize(seed);
  if (model.forget_bias) {
    quadgate::set_forget_bias(network.config().rnn, network.parameters(), *model.forget_bias);
  }
}

Score score(quadgate::Network& network, const BatchStream& stream, std::uint32_t first,
            std::uint32_t batches) {
  quadgate::Batch batch;
  quadgate::Metrics metrics;
  std::vector<float> answers(static_cast<std::size_t>(stream.batch_size));
  std::int64_t close = 0;
  for (std::uint32_t number = first; number < first + batches; ++number) {
    stream.fill(number, batch);
    metrics += network.evaluate(batch);
    if (stream.problem == Problem::copy) continue;
    network.predict(batch, answers);
    for (std::size_t row = 0; row < answers.size(); ++row) {
      close += std::abs(answers[row] - batch.targets[row]) < kTolerance ? 1 : 0;
    }
  }
  const bool adding = stream.problem == Problem::adding;
  return {.loss = metrics.mean_loss(),
          .accuracy = adding ? static_cast<double>(close) / static_cast<double>(metrics.items)
                             : metrics.accuracy()};
}

Outcome train(quadgate::Network& network, const BatchStream& stream, const Budget& budget) {
  quadgate::OptimizerConfig adam{.lr = budget.lr};
  adam.clip_norm = 1;
  quadgate::Trainer trainer(network, adam, stream.seed);
  quadgate::Batch batch;
  std::int64_t update = 0;
  std::uint32_t check = kFirstCheck;
  while (update < budget.updates) {
    stream.fill(static_cast<std::uint32_t>(update), batch);
    trainer.step(batch);
    if (++update % budget.check_every != 0) continue;
    if (score(network, stream, check, kCheckBatches).accuracy >= kSolved) break;
    check += kCheckBatches;
  }
  return {.score = score(network, stream, kFirstTest, kTestBatches), .updates = update};
}

}  // namespace long_memory
