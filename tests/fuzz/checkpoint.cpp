#include "io/model/checkpoint.h"

#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) {
  const InputFile file(input);
  // Of the size of seeds/checkpoint/golden.h5.
  const ModelConfig model{.rnn = {.input_size = 2, .hidden_size = 2}, .output_size = 2};
  Parameters parameters(model);
  Optimizer optimizer({.kind = OptimizerConfig::Kind::adam}, parameters.values().size());
  read_or_refuse([&] {
    const Checkpoint checkpoint(file.path());
    read_or_refuse([&] { checkpoint.description(); });
    read_or_refuse([&] { checkpoint.load_parameters(parameters); });
    read_or_refuse([&] { checkpoint.load_optimizer(parameters, optimizer); });
    checkpoint.training_state();
  });
}

}  // namespace quadgate::fuzz
