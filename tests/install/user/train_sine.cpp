// A user's program: learns to tell rising waves from falling ones, with nothing of quadgate
// but what is installed. Every module is linked: the error comes from io.

#include <cmath>
#include <cstdint>
#include <iostream>
#include <string>

#include <quadgate/engine/base/error.h>
#include <quadgate/engine/training/network.h>
#include <quadgate/engine/training/trainer.h>
#include <quadgate/io/data/dataset.h>
#include <quadgate/io/hdf5/reader_program.h>
#include <quadgate/kernels/base/isa.h>

namespace {

constexpr std::int64_t kSeqLen = 12;
constexpr std::int64_t kRows = 32;

// Row n is sin(phase + t / 8), or its mirror image in time (class 1).
quadgate::Batch sine_waves() {
  quadgate::Batch batch;
  batch.offsets.push_back(0);
  for (std::int64_t n = 0; n < kRows; ++n) {
    const std::int64_t label = n % 2;
    for (std::int64_t t = 0; t < kSeqLen; ++t) {
      const auto step = static_cast<double>(label == 0 ? t : kSeqLen - 1 - t);
      const double phase = 0.02 * static_cast<double>(n);
      batch.x.push_back(static_cast<float>(std::sin(phase + step / 8)));
    }
    batch.offsets.push_back((n + 1) * kSeqLen);
    batch.labels.push_back(label);
  }
  return batch;
}

bool learns() {
  quadgate::ModelConfig model;
  model.rnn = {.input_size = 1, .hidden_size = 8};
  model.task = quadgate::Task::classification;
  model.output_size = 2;
  quadgate::Arena arena(2);
  quadgate::Network network(model, kSeqLen, kRows, arena);
  network.parameters().initialize(1);
  quadgate::Trainer trainer(network, {.lr = 0.02}, 1);

  const quadgate::Batch batch = sine_waves();
  const double first = trainer.step(batch).mean_loss();
  double last = first;
  for (int step = 0; step < 100; ++step) {
    last = trainer.step(batch).mean_loss();
  }
  std::cout << "loss " << first << " -> " << last << ", kernels for "
            << quadgate::kernels::to_string(quadgate::kernels::active_isa()) << '\n';
  return last < 0.2 * first;
}

bool names_the_missing_file() {
  try {
    const quadgate::Dataset dataset("no_such_file.h5");
  } catch (const quadgate::FileError& error) {
    std::cout << error.what() << '\n';
    return true;
  }
  return false;
}

// A process of the installed program reads it.
bool reads(const char* file) {
  const quadgate::Dataset dataset(file);
  const auto splits = dataset.split_names();
  std::cout << file << ": " << splits.size() << " splits\n";
  return !splits.empty();
}

bool names_the_missing_program(const char* file) {
  quadgate::hdf5::set_reader_program("/none/quadgate-hdf5-reader");
  try {
    const quadgate::Dataset dataset(file);
  } catch (const quadgate::FileError& error) {
    std::cout << error.what() << '\n';
    return std::string(error.what()).find("/none/quadgate-hdf5-reader") != std::string::npos;
  }
  return false;
}

}  // namespace

// train_sine DATASET
int main(int, char** argv) {
  return learns() && names_the_missing_file() && reads(argv[1]) &&
                 names_the_missing_program(argv[1])
             ? 0
             : 1;
}
