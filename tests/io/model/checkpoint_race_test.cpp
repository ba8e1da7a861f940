// A process writes checkpoints one after the other while another reads them: 100 reads, each of one
// whole file. Tolerance: none, weights are compared bit for bit.

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "io/model/checkpoint.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

const ModelDescription kRaced{.config = {.rnn = {.input_size = 3, .hidden_size = 40},
                                         .task = Task::classification,
                                         .output_size = 2},
                              .data = {.feature_names = {"a", "b", "c"},
                                       .class_names = {"no", "yes"},
                                       .mean = {},
                                       .std = {},
                                       .window = {}}};

/// The model of a step: its weights follow from the number.
Parameters model_of_step(std::int64_t step) {
  Parameters parameters(kRaced.config);
  parameters.initialize(static_cast<std::uint64_t>(step));
  return parameters;
}

/// Until it is killed, by the end of its parent if by nothing else.
[[noreturn]] void write_for_ever(const std::filesystem::path& path) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (TrainingState state;; ++state.step) {
    const Parameters parameters = model_of_step(state.step);
    Optimizer sgd({.clip_norm = {}}, parameters.values().size());
    sgd.set_steps(state.step);
    save_checkpoint(path, kRaced, parameters, sgd, state);
  }
}

class CheckpointRaceTest : public testing::FolderTest {
 protected:
  void TearDown() override {
    ::kill(writer_, SIGKILL);
    ::waitpid(writer_, nullptr, 0);
  }

  void start_writing(const std::filesystem::path& file) {
    writer_ = ::fork();
    if (writer_ == 0) write_for_ever(file);
    while (!std::filesystem::exists(file)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

 private:
  ::pid_t writer_ = 0;
};

TEST_F(CheckpointRaceTest, EveryReadIsOfOneWholeFile) {
  const auto file = path("checkpoint.h5");
  start_writing(file);
  std::int64_t last = -1;
  int others = 0;
  for (int round = 0; round < 100; ++round) {
    const Checkpoint checkpoint(file);
    const std::int64_t step = checkpoint.training_state().step;
    Parameters loaded(kRaced.config);
    checkpoint.load_parameters(loaded);
    const Parameters expected = model_of_step(step);
    EXPECT_TRUE(std::ranges::equal(loaded.values(), expected.values())) << step;
    EXPECT_GE(step, last);
    others += step > last ? 1 : 0;
    last = step;
  }
  EXPECT_GT(others, 5) << "it was not replaced meanwhile";
}

}  // namespace
}  // namespace quadgate
