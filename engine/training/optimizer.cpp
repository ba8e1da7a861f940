#include "engine/training/optimizer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/threads/parallel_tiles.h"
#include "kernels/base/isa.h"
#include "kernels/optimizers/adam/adam.h"
#include "kernels/optimizers/rmsprop/rmsprop.h"
#include "kernels/optimizers/sgd/sgd.h"

namespace quadgate {
namespace {

/// Where a tile of an array starts. Null if there is no array.
float* tile_of(float* array, std::size_t start) {
  return array == nullptr ? nullptr : array + start;
}

kernels::SgdArgs sgd_args(const OptimizerConfig& config, float gradient_scale) {
  return {.grad_scale = gradient_scale,
          .weight_decay = static_cast<float>(config.weight_decay),
          .momentum = static_cast<float>(config.momentum),
          .lr = static_cast<float>(config.lr),
          .nesterov = config.nesterov};
}

kernels::RmspropArgs rmsprop_args(const OptimizerConfig& config, float gradient_scale) {
  return {.grad_scale = gradient_scale,
          .weight_decay = static_cast<float>(config.weight_decay),
          .alpha = static_cast<float>(config.alpha),
          .one_minus_alpha = static_cast<float>(1 - config.alpha),
          .eps = static_cast<float>(config.eps),
          .momentum = static_cast<float>(config.momentum),
          .lr = static_cast<float>(config.lr)};
}

/// Updates over the cores the present ones of the sparse rows at the start of the `size` elements,
/// and all that follows these rows.
void for_each_range(Arena& arena, std::size_t size, const SparseRows& rows,
                    const RangeUpdate& update) {
  constexpr std::int64_t kWorthSharing = 4;
  const std::int64_t tiles = rows.tiles();
  const auto run = [&](std::int64_t tile) { rows.for_each(tile, std::cref(update)); };
  tiles < kWorthSharing ? arena.for_each_here(tiles, run) : arena.for_each(tiles, run);
  for_each_tile(arena, size - rows.size, [&](std::size_t start, std::int64_t length) {
    update({.begin = rows.size + start, .size = static_cast<std::size_t>(length)});
  });
}

kernels::AdamArgs adam_args(const OptimizerConfig& config, std::int64_t step,
                            float gradient_scale) {
  const bool decoupled = config.kind == OptimizerConfig::Kind::adamw;
  const auto t = static_cast<double>(step);
  const auto& [beta1, beta2] = config.betas;
  const double bias_correction1 = 1 - std::pow(beta1, t);
  const double bias_correction2 = 1 - std::pow(beta2, t);
  return {
      .grad_scale = gradient_scale,
      .weight_decay = decoupled ? 0.0F : static_cast<float>(config.weight_decay),
      .param_scale = decoupled ? static_cast<float>(1 - config.lr * config.weight_decay) : 1.0F,
      .one_minus_beta1 = static_cast<float>(1 - beta1),
      .beta2 = static_cast<float>(beta2),
      .one_minus_beta2 = static_cast<float>(1 - beta2),
      .step_size = static_cast<float>(config.lr / bias_correction1),
      .inv_sqrt_bias_correction2 = static_cast<float>(1 / std::sqrt(bias_correction2)),
      .eps = static_cast<float>(config.eps),
  };
}

/// Of the rows of a table: torch.optim.SparseAdam adds eps before the correction of the bias.
kernels::AdamArgs sparse_adam_args(kernels::AdamArgs args) {
  args.step_size /= args.inv_sqrt_bias_correction2;
  args.inv_sqrt_bias_correction2 = 1;
  return args;
}

}  // namespace

Optimizer::Optimizer(const OptimizerConfig& config, std::size_t size)
    : Optimizer(config, std::vector<FlatRange>{{.begin = 0, .size = size}}) {}

Optimizer::Optimizer(const OptimizerConfig& config, std::vector<FlatRange> ranges)
    : isa_(kernels::active_isa()), config_(config), ranges_(std::move(ranges)) {
  validate(config);
  switch (config.kind) {
    case OptimizerConfig::Kind::adam:
    case OptimizerConfig::Kind::adamw:
      add_state("exp_avg");
      add_state("exp_avg_sq");
      return;
    case OptimizerConfig::Kind::rmsprop:
      add_state("square_avg");
      if (config.centered) add_state("grad_avg");
      break;
    case OptimizerConfig::Kind::sgd:
      break;
  }
  if (config.momentum > 0) add_state("momentum_buffer");
}

void Optimizer::add_state(std::string_view name) {
  std::size_t size = 0;
  for (const FlatRange& range : ranges_) size += range.size;
  states_.push_back({name, Buffer(size)});
}

void Optimizer::copy_state(const Optimizer& whole) {
  steps_ = whole.steps_;
  for (std::size_t i = 0; i < states_.size(); ++i) fill_state(i, whole.states_[i].array.span());
}

void Optimizer::fill_state(std::size_t index, std::span<const float> whole) {
  auto to = states_[index].array.span().begin();
  for (const FlatRange& range : ranges_) {
    to = std::ranges::copy(whole.subspan(range.begin, range.size), to).out;
  }
}

std::size_t Optimizer::place_of(std::size_t begin) const noexcept {
  std::size_t place = 0;
  for (const FlatRange& range : ranges_) {
    if (begin < range.begin + range.size) return place + begin - range.begin;
    place += range.size;
  }
  return place;
}

float* Optimizer::state(std::string_view name) noexcept {
  const auto found = std::ranges::find(states_, name, &State::name);
  return found == states_.end() ? nullptr : found->array.data();
}

void Optimizer::step(Arena& arena, Parameters& parameters, const Gradient& gradient, float scale) {
  ParameterEditor editor = parameters.edit();
  step(arena, editor.values(), gradient, scale);
}

void Optimizer::step(Arena& arena, std::span<float> values, const Gradient& gradient, float scale) {
  const auto for_each = [&](const RangeUpdate& update) {
    for_each_range(arena, values.size(), gradient.rows, update);
  };
  step(std::cref(for_each), values, gradient, scale);
}

void Optimizer::step(const std::function<void(const RangeUpdate&)>& for_each_range,
                     std::span<float> values, const Gradient& gradient, float scale) {
  steps_ += 1;
  const auto run = [&](const auto& update) {
    for_each_range([&update, this](const FlatRange& range) {
      update(range.begin, static_cast<std::int64_t>(range.size), place_of(range.begin));
    });
  };
  const float* const gradients = gradient.values.data();
  if (config_.kind == OptimizerConfig::Kind::sgd) {
    return run([&, kernel = kernels::sgd_kernel(isa_), args = sgd_args(config_, scale),
                momentum = state("momentum_buffer")](std::size_t begin, std::int64_t size,
                                                     std::size_t place) {
      kernel(size, args, gradients + begin, tile_of(momentum, place), values.data() + begin);
    });
  }
  if (config_.kind == OptimizerConfig::Kind::rmsprop) {
    return run([&, kernel = kernels::rmsprop_kernel(isa_), args = rmsprop_args(config_, scale),
                square_avg = state("square_avg"), grad_avg = state("grad_avg"),
                momentum = state("momentum_buffer")](std::size_t begin, std::int64_t size,
                                                     std::size_t place) {
      kernel(size, args,
             {.grad = gradients + begin,
              .square_avg = square_avg + place,
              .grad_avg = tile_of(grad_avg, place),
              .momentum_buffer = tile_of(momentum, place),
              .param = values.data() + begin});
    });
  }
  const auto args = adam_args(config_, steps_, scale);
  const auto sparse_args = sparse_adam_args(args);
  run([&, kernel = kernels::adam_kernel(isa_), exp_avg = state("exp_avg"),
       exp_avg_sq = state("exp_avg_sq")](std::size_t begin, std::int64_t size, std::size_t place) {
    kernel(size, begin < gradient.rows.size ? sparse_args : args, gradients + begin,
           exp_avg + place, exp_avg_sq + place, values.data() + begin);
  });
}

}  // namespace quadgate
