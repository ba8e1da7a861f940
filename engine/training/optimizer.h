#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/config.h"
#include "engine/model/gradient.h"
#include "engine/model/parameters.h"
#include "engine/threads/arena.h"

namespace quadgate {

namespace kernels {
enum class Isa : std::uint8_t;
}

/// SGD, Adam, AdamW or RMSprop over flat arrays, as torch.optim defines them.
///
/// Of an embedding's sparse rows it updates those that are present, with their state. Adam is
/// torch.optim.SparseAdam there. The weight decay and momentum of every optimizer act on a row in
/// the steps in which it is present. All rows share one count of Adam's steps.
class Optimizer {
 public:
  /// One state array of the optimizer, of the parameters that it updates, in their order.
  struct State {
    std::string_view name;  ///< PyTorch's, such as "momentum_buffer", "exp_avg", "square_avg"
    Buffer array;
  };

  /// Makes state for `size` parameters, all zero. It takes the instruction set that is active now.
  /// Throws InvalidArgument (see validate).
  Optimizer(const OptimizerConfig& config, std::size_t size);
  /// Makes state for the parameters in some ranges of the flat array, in order, and updates no
  /// others: each range of a step lies within one of these.
  Optimizer(const OptimizerConfig& config, std::vector<FlatRange> ranges);

  const OptimizerConfig& config() const noexcept { return config_; }
  /// Changes the learning rate of the updates to come.
  void set_lr(double lr) noexcept { config_.lr = lr; }
  /// Updates done so far. Adam's bias correction depends on it.
  std::int64_t steps() const noexcept { return steps_; }
  void set_steps(std::int64_t steps) noexcept { steps_ = steps; }
  /// The state arrays, for checkpoints. Plain SGD has none, centered RMSprop with momentum three.
  std::span<State> states() noexcept { return states_; }
  /// Takes over the state of one of the same kind that has it for all parameters.
  void copy_state(const Optimizer& whole);
  /// Takes over a state array of all parameters.
  void fill_state(std::size_t index, std::span<const float> whole);
  std::span<const State> states() const noexcept { return states_; }

  /// Updates the parameters from `gradient * scale`, in tiles over the cores of `arena`. The scale
  /// carries clipping.
  void step(Arena& arena, Parameters& parameters, const Gradient& gradient, float scale = 1);
  /// Those in a flat array.
  void step(Arena& arena, std::span<float> values, const Gradient& gradient, float scale = 1);
  /// The same in other ranges: `for_each_range` calls the update that it is given once for each.
  void step(const std::function<void(const RangeUpdate&)>& for_each_range, std::span<float> values,
            const Gradient& gradient, float scale);

 private:
  void add_state(std::string_view name);
  /// The state array called `name`. Null if the optimizer has none.
  float* state(std::string_view name) noexcept;
  /// Where the state of the parameter at `begin` of the flat array lies.
  std::size_t place_of(std::size_t begin) const noexcept;

  kernels::Isa isa_;
  OptimizerConfig config_;
  std::vector<FlatRange> ranges_;  // of the parameters that have state
  std::int64_t steps_ = 0;
  std::vector<State> states_;
};

}  // namespace quadgate
