#pragma once

#include <algorithm>
#include <span>

#include "io/model/checkpoint.h"
#include "tests/io/files.h"

namespace quadgate::testing {

using ::testing::SizeIs;

inline const ModelDescription kModel{.config = {.rnn = {.input_size = 3,
                                                        .hidden_size = 5,
                                                        .num_layers = 2,
                                                        .bidirectional = true,
                                                        .dropout = 0.25},
                                                .task = Task::classification,
                                                .output_size = 2},
                                     .data = {.feature_names = {"a", "b", "c"},
                                              .class_names = {"no", "yes"},
                                              .mean = {1, 2, 3},
                                              .std = {4, 5, 6},
                                              .window = {}}};

inline const ModelDescription kForecaster{
    .config = {.rnn = {.input_size = 2,
                       .hidden_size = 4,
                       .cell = Cell::gru,
                       .input_dropout = 0.125,
                       .output_dropout = 0.5,
                       .locked_dropout = true,
                       .weight_dropout = 0.75},
               .task = Task::regression,
               .output_size = 6},
    .data = {.feature_names = {"a", "b"},
             .class_names = {},
             .mean = {},
             .std = {},
             .window = Window{.input_len = 9, .horizon = 6, .stride = 2, .targets = {"b"}}}};

inline const ModelDescription kTagger{
    .config = {.rnn = {.input_size = 3, .hidden_size = 4},
               .task = Task::tagging,
               .output_size = 2,
               .embedding = {.vocabulary_size = 2, .padding_index = 1}},
    .data = {.feature_names = {},
             .token_names = {"<unk>", "樹"},
             .class_names = {"no", "yes"},
             .mean = {},
             .std = {},
             .window = {}}};

inline TrainingState some_state() {
  return {.epoch = 3,
          .batch = 17,
          .step = 1234,
          .seed = 0xFEDC'BA98'7654'3210,
          .data = DataIdentity{100, 20, 0xFEDC'BA98'7654'3211},
          .best_metric = 0.875,
          .best_loss = 0.375,
          .best_epoch = 2,
          .running = {.items = 544,
                      .loss = 12.5,
                      .weight = 543.5,
                      .squared_error = 0.2,
                      .absolute_error = 0.1,
                      .correct = 400},
          .schedule = {.lr_scale = 0.25, .plateau = {.best = 0.5, .num_bad_epochs = 7}},
          .early_stopping = {.best = 0.75, .num_bad_epochs = 9},
          .last_metrics = R"({"epoch": 3})",
          .run_file = "[data]\npath = \"é.h5\"\n"};
}

class CheckpointTest : public FolderTest {
 protected:
  static Parameters parameters(const ModelDescription& model, std::uint64_t seed) {
    Parameters made(model.config);
    made.initialize(seed);
    return made;
  }

  /// An optimizer after some steps, its state filled.
  static Optimizer optimizer(OptimizerConfig::Kind kind, const Parameters& parameters) {
    Optimizer made({.kind = kind, .momentum = 0.9, .centered = true, .clip_norm = {}},
                   parameters.values().size());
    made.set_steps(1234);
    float value = 0;
    for (Optimizer::State& state : made.states()) {
      for (const ParameterSlice& slice : parameters.slices()) {
        for (float& element : state.array.span().subspan(slice.offset, slice.size)) {
          element = value += 0.5F;
        }
      }
    }
    return made;
  }

  void save(std::uint64_t seed) const {
    const Parameters weights = parameters(kModel, seed);
    save_checkpoint(path("checkpoint.h5"), kModel, weights,
                    optimizer(OptimizerConfig::Kind::adam, weights), some_state());
  }
};

inline bool same(std::span<const float> a, std::span<const float> b) {
  return std::ranges::equal(a, b);
}

}  // namespace quadgate::testing
