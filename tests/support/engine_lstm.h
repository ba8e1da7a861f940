#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/model/gradient_buffer.h"
#include "engine/model/parameters.h"
#include "engine/model/recurrent_states.h"
#include "engine/native/stack.h"
#include "engine/native/task_list.h"
#include "engine/native/workers.h"
#include "engine/onednn/layer_kind.h"
#include "engine/threads/arena.h"
#include "tests/support/lstm_reference.h"

namespace quadgate::testing {

/// A stack of onednn::Layers, fed and read through the structures of the reference.
class EngineLstm {
 public:
  EngineLstm(const RecurrentConfig& config, std::int64_t seq_len, std::vector<std::int64_t> lengths,
             int cores = 1)
      : config_(config),
        seq_len_(seq_len),
        rows_(std::ssize(lengths)),
        lengths_(std::move(lengths)),
        arena_(cores),
        parameters_(config),
        gradient_(parameters_),
        kind_(onednn::layer_kind(
            {.model = {.rnn = config}, .seq_len = seq_len, .batch_size = rows_, .options = {}},
            arena_)),
        workers_(config, 1'000'000'000, 0, kernels::active_isa(), arena_,
                 {.rows = kind_.slice_rows, .batch_size = rows_, .one_by_one = false}),
        stack_({.config = config,
                .prefix = "",
                .seq_len = seq_len,
                .batch_size = rows_,
                .cores = workers_.cores(),
                .slices = workers_.slices(),
                .slots = workers_.slots(),
                .has_states = true,
                .has_d_input = true,
                .isa = kernels::active_isa(),
                .kind = &kind_},
               parameters_, gradient_) {
    for (std::int64_t l = 0; l < config.num_layers; ++l) {
      stack_.add_input_pack_tasks(l, pack_tasks_);
      stack_.add_recurrent_pack_tasks(l, pack_tasks_);
    }
    stack_.add_gradient_tasks(gradient_tasks_);
    batch_.offsets.push_back(0);
    for (const auto length : lengths_) batch_.offsets.push_back(batch_.offsets.back() + length);
  }

  /// The output beyond the lengths is zeros.
  LstmOutputs<float> forward(const LstmInputs<double>& inputs) {
    set_weights(inputs);
    workers_.share(std::ssize(pack_tasks_),
                   [&](std::int64_t i) { pack_tasks_[static_cast<std::size_t>(i)].run(); });
    RecurrentStates states{.h = to_floats(inputs.h0), .c = cells(to_floats(inputs.c0))};
    RecurrentStates last = RecurrentStates::zeros(config_, rows_);
    const std::vector<float> x = to_floats(inputs.x);
    LstmOutputs<float> outputs{zeros(config_.output_size()), {}, {}};
    const native::Pass pass = stack_.begin(batch_, batch_.offsets, nullptr, {}, workers_);
    forward_.emplace(workers_.for_each_range(pass, [&](const native::WorkRange& work) {
      native::Stack::Loaded loaded = stack_.load_rows(work, [&](auto place, auto t) {
        return x.data() + at(pass.steps, place, t) * config_.input_size;
      });
      stack_.load_states(loaded, &states);
      native::Stack::Forward forward = stack_.forward(std::move(loaded));
      for_each_step(work, [&](std::int64_t row, std::int64_t step) {
        std::copy_n(stack_.output(forward).at(row), config_.output_size(),
                    outputs.output.data() + step * config_.output_size());
      });
      stack_.store_states(forward, last);
      return forward;
    }));
    outputs.h_n = last.h;
    outputs.c_n = config_.cell == Cell::lstm ? last.c : std::vector<float>(last.h.size());
    return outputs;
  }

  /// Of the last forward. The gradients start as NaN, so that one that nobody writes is seen.
  LstmInputs<float> backward(const LstmOutputs<double>& d_outputs) {
    const RecurrentStates last{.h = to_floats(d_outputs.h_n), .c = cells(to_floats(d_outputs.c_n))};
    RecurrentStates first = RecurrentStates::zeros(config_, rows_);
    const std::vector<float> d_output = to_floats(d_outputs.output);
    LstmInputs<float> d_inputs{zeros(config_.input_size), {}, {}, {}};
    std::ranges::fill(gradient_.values(), NAN);
    const auto backward =
        workers_.for_each_range(forward_->pass(), [&](const native::WorkRange& work) {
          for_each_step(work, [&](std::int64_t row, std::int64_t step) {
            std::copy_n(d_output.data() + step * config_.output_size(), config_.output_size(),
                        stack_.d_output().at(row));
          });
          native::Stack::Backward done = stack_.backward(forward_->of(work), &last);
          for_each_step(work, [&](std::int64_t row, std::int64_t step) {
            std::copy_n(stack_.d_input().at(row), config_.input_size,
                        d_inputs.x.data() + step * config_.input_size);
          });
          stack_.store_d_states(done, first);
          return done;
        });
    gradient_tasks_.run(workers_, backward);
    d_inputs.h0 = first.h;
    d_inputs.c0 = config_.cell == Cell::lstm ? first.c : std::vector<float>(first.h.size());
    for (std::size_t i = 0; i < parameters_.slices().size(); i += 4) {
      d_inputs.directions.push_back(
          {gradient(i), gradient(i + 1), gradient(i + 2), gradient(i + 3), {}});
    }
    return d_inputs;
  }

 private:
  static std::vector<float> to_floats(const std::vector<double>& values) {
    return {values.begin(), values.end()};
  }
  std::vector<float> cells(const std::vector<float>& values) const {
    return config_.cell == Cell::lstm ? values : std::vector<float>();
  }
  std::vector<float> zeros(std::int64_t width) const {
    return std::vector<float>(static_cast<std::size_t>(seq_len_ * rows_ * width));
  }
  std::vector<float> gradient(std::size_t i) {
    const ParameterSlice& slice = parameters_.slices()[i];
    return {gradient_.of(slice), gradient_.of(slice) + slice.size};
  }
  void set_weights(const LstmInputs<double>& inputs) {
    ParameterEditor editor = parameters_.edit();
    for (std::size_t i = 0; i < inputs.directions.size(); ++i) {
      const auto& from = inputs.directions[i];
      std::size_t slice = 4 * i;
      for (const auto* values : {&from.weight_ih, &from.weight_hh, &from.bias_ih, &from.bias_hh}) {
        std::ranges::copy(to_floats(*values), editor.value(parameters_.slices()[slice++]).begin());
      }
    }
  }
  /// A step of [T, N].
  std::int64_t at(const native::PackedSteps& steps, std::int64_t place, std::int64_t t) const {
    return t * rows_ + steps.row_in_batch(place);
  }
  template <typename Body>
  void for_each_step(const native::WorkRange& work, Body body) const {
    for (std::int64_t t = 0; t < work.pass.steps.seq_len(); ++t) {
      for (std::int64_t i = 0; i < work.rows(t); ++i) {
        body(work.row(t) + i, at(work.pass.steps, work.first + i, t));
      }
    }
  }

  RecurrentConfig config_;
  std::int64_t seq_len_;
  std::int64_t rows_;
  std::vector<std::int64_t> lengths_;
  Arena arena_;
  Parameters parameters_;
  GradientBuffer gradient_;
  native::LayerKind kind_;
  native::Workers workers_;
  native::Stack stack_;
  std::vector<PackTask> pack_tasks_;
  native::TaskList gradient_tasks_;
  Batch batch_;
  std::optional<native::Everywhere<native::Stack::Forward>> forward_;
};

}  // namespace quadgate::testing
