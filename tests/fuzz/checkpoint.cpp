#include "io/model/checkpoint.h"

#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) {
  const InputFile file(input);
  read_or_refuse([&] { read_model_description(file.path()); });
  read_or_refuse([&] { has_head(file.path()); });
  // Of the size of seeds/checkpoint/golden.h5.
  const ModelConfig model{.rnn = {.input_size = 2, .hidden_size = 2}, .output_size = 2};
  Parameters parameters(model);
  Optimizer optimizer({.kind = OptimizerConfig::Kind::adam}, parameters.values().size());
  read_or_refuse([&] { load_parameters(file.path(), parameters); });
  read_or_refuse([&] { load_training_state(file.path(), parameters, optimizer); });
}

}  // namespace quadgate::fuzz
