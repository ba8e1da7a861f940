// How long training stands still for checkpoints: blocks of training steps of an LSTM of 9.4
// million parameters with Adam, each without a checkpoint, with one from CheckpointWriter's thread
// and with one written by the training thread, in turns.
//
//   checkpoint_bench FOLDER [THREADS [STEPS [REPEATS]]]    into FOLDER, which must be there

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/training/trainer.h"
#include "io/model/checkpoint.h"
#include "io/model/checkpoint_writer.h"

namespace quadgate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kSeqLen = 50;
constexpr std::int64_t kRows = 64;
constexpr std::int64_t kSize = 768;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

ModelDescription model() {
  ModelDescription description;
  description.config = {.rnn = {.input_size = kSize, .hidden_size = kSize, .num_layers = 2},
                        .task = Task::tagging,
                        .output_size = 10};
  for (int i = 0; i < 10; ++i) description.data.class_names.push_back(std::to_string(i));
  return description;
}

/// Random-looking features and labels for every step.
Batch full_batch() {
  Batch batch;
  for (std::int64_t row = 0; row <= kRows; ++row) batch.offsets.push_back(row * kSeqLen);
  for (std::int64_t i = 0; i < batch.steps() * kSize; ++i) {
    batch.x.push_back(static_cast<float>(i * 7919 % 2001 - 1000) / 1000);
  }
  for (std::int64_t step = 0; step < batch.steps(); ++step) batch.labels.push_back(step * 31 % 10);
  return batch;
}

/// Blocks of steps, and what they took.
class Training {
 public:
  Training(const std::filesystem::path& folder, int threads, int steps)
      : arena_(threads),
        network_(model_.config, kSeqLen, kRows, arena_),
        trainer_(network_, {.lr = 1e-5, .clip_norm = 1.0}, 1),
        path_(folder / "checkpoint.h5"),
        writer_(path_, folder / "best.h5", model_, network_.parameters(),
                trainer_.optimizer().config()),
        steps_(steps) {
    network_.parameters().initialize(1);
  }

  struct Times {
    double all = 0;
    double paused = 0;
  };

  Times plain() {
    return block([] {}, [] {});
  }
  Times background() {
    return block(
        [&] {
          writer_.save(
              network_.parameters(), [&](Optimizer* to) { trainer_.copy_optimizer(to); }, state_,
              false);
        },
        [&] { writer_.finish(); });
  }
  Times synchronous() {
    return block(
        [&] {
          save_checkpoint(path_, model_, network_.parameters(), trainer_.optimizer(), state_);
        },
        [] {});
  }

 private:
  /// `save` comes after the first step, `finish` after the last.
  template <typename Save, typename Finish>
  Times block(const Save& save, const Finish& finish) {
    const auto start = Clock::now();
    Times times;
    for (int step = 0; step < steps_; ++step) {
      trainer_.step(batch_);
      if (step == 0) times.paused += seconds_of(save);
    }
    times.paused += seconds_of(finish);
    times.all = seconds_since(start);
    return times;
  }

  template <typename Action>
  static double seconds_of(const Action& action) {
    const auto start = Clock::now();
    action();
    return seconds_since(start);
  }

  ModelDescription model_ = model();
  Batch batch_ = full_batch();
  TrainingState state_;
  Arena arena_;
  Network network_;
  Trainer trainer_;
  std::filesystem::path path_;
  CheckpointWriter writer_;
  int steps_;
};

/// The times of one way to save, a block each.
struct Way {
  const char* name;
  Training::Times (Training::*run)();
  std::vector<double> all{};
  std::vector<double> paused{};
  std::vector<double> share{};
  std::vector<double> longer{};  // than the block without checkpoints of the same turn
};

void measure(const std::filesystem::path& folder, int threads, int steps, int repeats) {
  Training training(folder, threads, steps);
  std::array<Way, 3> ways{{{"none", &Training::plain},
                           {"background", &Training::background},
                           {"synchronous", &Training::synchronous}}};
  for (const Way& way : ways) (training.*way.run)();  // warms up
  for (int repeat = 0; repeat < repeats; ++repeat) {
    for (Way& way : ways) {
      const Training::Times times = (training.*way.run)();
      way.all.push_back(times.all);
      way.paused.push_back(times.paused);
      way.share.push_back(times.paused / times.all);
      way.longer.push_back(times.all / ways[0].all.back() - 1);
    }
  }
  fmt::print("{} threads, a checkpoint of {:.0f} MB every {} steps, medians of {}\n", threads,
             static_cast<double>(std::filesystem::file_size(folder / "checkpoint.h5")) / 1e6, steps,
             repeats);
  for (const Way& way : ways) {
    fmt::print("{:12} {:7.2f} s a block, paused {:7.1f} ms, {:6.3f} % of it; {:+6.2f} % longer\n",
               way.name, median(way.all), 1e3 * median(way.paused), 100 * median(way.share),
               100 * median(way.longer));
  }
}

}  // namespace
}  // namespace quadgate

int main(int argc, char** argv) {
  const auto number = [&](int at, int otherwise) {
    return argc > at ? std::stoi(argv[at]) : otherwise;
  };
  try {
    if (argc < 2) throw std::runtime_error("expected a folder");
    quadgate::measure(argv[1], number(2, 1), number(3, 20), number(4, 7));
  } catch (const std::exception& error) {
    fmt::print(stderr, "checkpoint_bench: error: {}\n", error.what());
    return 1;
  }
}
