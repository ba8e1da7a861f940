#include "engine/native_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

#include "engine/parts.h"
#include "engine/stopwatch.h"
#include "kernels/bf16/bf16.h"
#include "kernels/isa.h"

namespace quadgate {
namespace {

/// Whether a core is through a whole step before another one would be of use: a few tens of
/// microseconds.
bool is_small(const Parameters& parameters, std::int64_t capacity) {
  constexpr std::int64_t kMultiplyAdds = 1'000'000;  // of a forward pass
  const std::size_t size = parameters.values().size() - parameters.table().size;
  return static_cast<std::int64_t>(size) * capacity < kMultiplyAdds;
}

}  // namespace

NativeBackend::NativeBackend(const NetworkPlan& plan, Parameters& parameters, Arena& arena)
    : config_(plan.model.rnn),
      arena_(arena),
      capacity_(plan.seq_len * plan.batch_size),
      small_(plan.options.team_size == 0 && is_small(parameters, capacity_)),
      precision_(plan.options.precision),
      team_size_(plan.options.team_size),
      teams_(static_cast<std::size_t>(arena.threads())),
      directions_(config_.num_directions()),
      cell_(native_cell(config_.cell, plan.options.precision)),
      steps_(plan.seq_len, plan.batch_size),
      head_(plan, native_cell(Cell::lstm, Precision::f32), parameters) {
  x_ = features(1, config_.input_size);
  for (auto& d : d_) d = Buffer(static_cast<std::size_t>(capacity_ * config_.output_size()));
  if (plan.model.has_embedding()) {
    embedding_.emplace(plan.model, capacity_, arena.threads(), parameters);
    d_x_ = Buffer(static_cast<std::size_t>(capacity_ * config_.input_size));
    gradient_tasks_ += embedding_->gradient_tasks();
  }
  gradient_tasks_ += head_.gradient_tasks();
  for (std::int64_t l = 0; l < config_.num_layers; ++l) {
    for (std::int64_t direction = 0; direction < directions_; ++direction) {
      const NativeLayerPlan layer{
          .suffix = fmt::format("_l{}{}", l, direction == 0 ? "" : "_reverse"),
          .reverse = direction == 1,
          .input_parts = l == 0 ? 1 : directions_,
          .capacity = capacity_,
          .batch_size = plan.batch_size,
          .cores = arena.threads(),
          .precision = precision_};
      layers_.emplace_back(cell_, config_, layer, parameters);
      gradient_tasks_ += layers_.back().gradient_tasks(arena.threads());
    }
    y_.push_back(features(directions_, config_.h_size()));
    const bool drops = config_.dropout > 0 && l + 1 < config_.num_layers;
    dropped_.push_back(drops ? features(directions_, config_.h_size()) : Features());
  }
  task_times_.resize(
      static_cast<std::size_t>(std::max<std::int64_t>(gradient_tasks_, arena.threads())));
}

NativeBackend::Features NativeBackend::features(std::int64_t parts, std::int64_t width) const {
  Features features{Buffer(static_cast<std::size_t>(capacity_ * parts * width)), Buffer()};
  if (precision_ == Precision::bf16) {
    constexpr std::int64_t kReadBehind = 8;  // see Bf16Interleave
    features.words =
        Buffer(static_cast<std::size_t>(capacity_ * parts * ((width + 1) / 2) + kReadBehind));
  }
  return features;
}

template <typename Body>
void NativeBackend::share(std::int64_t count, Body body) {
  small_ ? arena_.for_each_here(count, body) : arena_.for_each(count, body);
}

template <typename Body>
void NativeBackend::for_each(std::int64_t count, Body body) {
  PhaseTimes wall;
  {
    const Stopwatch stopwatch(wall, Phase::waiting);
    share(count,
          [&](std::int64_t index) { body(index, task_times_[static_cast<std::size_t>(index)]); });
  }
  times_[Phase::waiting] += wall[Phase::waiting] * arena_.threads();
  for (std::int64_t i = 0; i < count; ++i) {
    auto& times = task_times_[static_cast<std::size_t>(i)];
    times_[Phase::waiting] -= times.total();
    times_ += times;
    times = {};
  }
}

template <typename Body>
void NativeBackend::for_each_range(const Batch& batch, Body body) {
  steps_.assign(batch);
  const TeamPlan plan = team_plan(batch.rows());
  for (std::int64_t range = 0; range < plan.ranges; ++range) {
    teams_[static_cast<std::size_t>(range)].open(plan.members);
  }
  for_each(plan.ranges * plan.members, [&](std::int64_t index, PhaseTimes& times) {
    const std::int64_t range = index / plan.members;
    std::optional<Team::Member> member =
        plan.members == 1 ? Team::Member() : teams_[static_cast<std::size_t>(range)].join();
    const std::int64_t first = steps_.cut(range, plan.ranges);
    const std::int64_t last = steps_.cut(range + 1, plan.ranges);
    if (member && first < last) body(NativeWork{steps_, first, last, *member, times});
  });
}

TeamPlan NativeBackend::team_plan(std::int64_t rows) const noexcept {
  const std::int64_t threads = arena_.threads();
  if (small_) return {1, 1};
  if (team_size_ > 0) return {std::min(threads / team_size_, rows), team_size_};
  return plan_teams({.threads = threads,
                     .rows = rows,
                     .gate_columns = cell_.hh.count() * config_.hidden_size,
                     .hidden_size = config_.hidden_size,
                     .most_members = parts_of(config_.hidden_size, cell_.width())});
}

void NativeBackend::refresh() {
  std::int64_t tasks = head_.pack_tasks();
  for (const auto& layer : layers_) tasks += layer.pack_tasks();
  share(tasks, [&](std::int64_t task) {
    for (auto& layer : layers_) {
      if (task < layer.pack_tasks()) return layer.pack(task);
      task -= layer.pack_tasks();
    }
    head_.pack(task);
  });
}

Metrics NativeBackend::evaluate(const Batch& batch) {
  for_each_range(batch, [&](const NativeWork& work) {
    forward(work, batch, nullptr);
    head_.loss(work, batch, 0);
  });
  return head_.metrics(steps_);
}

void NativeBackend::predict(const Batch& batch, std::span<float> outputs) {
  for_each_range(batch, [&](const NativeWork& work) {
    forward(work, batch, nullptr);
    head_.copy_outputs(work, batch, outputs);
  });
}

Metrics NativeBackend::differentiate(const Batch& batch, const DropoutKey& dropout,
                                     float gradient_scale, double& gradient_norm) {
  const bool drops = config_.dropout > 0;
  for_each_range(batch, [&](const NativeWork& work) {
    forward(work, batch, drops ? &dropout : nullptr);
    head_.loss(work, batch, gradient_scale);
    backward(work, drops ? &dropout : nullptr);
  });
  if (embedding_) embedding_->assign(batch, steps_);
  for_each(gradient_tasks_, [&](std::int64_t task, PhaseTimes& times) {
    const Stopwatch stopwatch(times, Phase::weight_gradients);
    gradient(task, drops);
  });
  double square = head_.gradient_square();
  if (embedding_) square += embedding_->gradient_square();
  for (const auto& layer : layers_) square += layer.gradient_square();
  gradient_norm = std::sqrt(square);
  return head_.metrics(steps_);
}

LayerRows NativeBackend::input(std::int64_t layer, bool dropped) noexcept {
  if (layer == 0) {
    return {
        {x_.rows.data(), config_.input_size}, {x_.words.data(), (config_.input_size + 1) / 2}, 0};
  }
  auto& features = (dropped ? dropped_ : y_)[static_cast<std::size_t>(layer - 1)];
  const std::int64_t words = (config_.h_size() + 1) / 2;
  return {{features.rows.data(), config_.output_size()},
          {features.words.data(), words},
          capacity_ * words};
}

LayerRows NativeBackend::output(std::int64_t layer, std::int64_t direction) noexcept {
  LayerRows rows = input(layer + 1, false);
  rows.rows.data += direction * config_.h_size();
  if (precision_ == Precision::bf16) rows.words.data += direction * rows.word_parts_stride;
  return rows;
}

PackedRows NativeBackend::d_output(std::int64_t layer) noexcept {
  if (layer < 0) return {d_x_.data(), config_.input_size};
  return {d_[static_cast<std::size_t>(layer % 2)].data(), config_.output_size()};
}

const float* NativeBackend::features_of(const Batch& batch, std::int64_t step) const noexcept {
  return embedding_ ? embedding_->row(batch.tokens[static_cast<std::size_t>(step)])
                    : batch.x.data() + step * config_.input_size;
}

void NativeBackend::load(const NativeWork& work, const Batch& batch) {
  const std::int64_t width = config_.input_size;
  const auto share = work.member.share(work.last - work.first);
  for (std::int64_t place = work.first + share.begin; place < work.first + share.end; ++place) {
    const auto row = static_cast<std::size_t>(work.steps.row_in_batch(place));
    for (std::int64_t t = 0; t < work.steps.length(place); ++t) {
      std::copy_n(features_of(batch, batch.offsets[row] + t), width,
                  x_.rows.data() + (work.steps.offset_at(t) + place) * width);
    }
  }
  work.member.wait();
  round(work, input(0, false), 1);
}

void NativeBackend::round(const NativeWork& work, const LayerRows& features,
                          std::int64_t parts) const {
  if (precision_ != Precision::bf16) return;
  const auto kernel = kernels::bf16_rows_kernel(kernels::active_isa());
  const std::int64_t width = features.rows.stride / parts;
  const auto share = work.member.share(work.steps.seq_len());
  for (std::int64_t t = share.begin; t < share.end; ++t) {
    for (std::int64_t part = 0; part < parts; ++part) {
      kernel({.rows = work.rows(t),
              .columns = width,
              .from = features.rows.at(work.row(t)) + part * width,
              .from_stride = features.rows.stride,
              .to = features.words.at(work.row(t)) + part * features.word_parts_stride,
              .to_stride = features.words.stride});
    }
  }
  work.member.wait();
}

void NativeBackend::forward(const NativeWork& work, const Batch& batch, const DropoutKey* dropout) {
  load(work, batch);
  for (std::int64_t l = 0; l < config_.num_layers; ++l) {
    for (std::int64_t direction = 0; direction < directions_; ++direction) {
      layer(l, direction).forward(work, input(l, dropout != nullptr), output(l, direction));
    }
    if (dropout != nullptr && l + 1 < config_.num_layers) {
      const auto share = work.member.share(work.steps.seq_len());
      const LayerRows to = input(l + 1, true);
      const PackedRows from = output(l, 0).rows;
      for (std::int64_t t = share.begin; t < share.end; ++t) {
        std::copy_n(from.at(work.row(t)), work.rows(t) * from.stride, to.rows.at(work.row(t)));
      }
      drop(work, *dropout, l, to.rows);
      round(work, to, directions_);
    }
  }
  head_.forward(work, output(config_.num_layers - 1, 0).rows);
}

/// Drops out values of the work's sequences in place, where `values` are of layer l's output.
void NativeBackend::drop(const NativeWork& work, const DropoutKey& key, std::int64_t l,
                         const PackedRows& values) const {
  const auto share = work.member.share(work.steps.seq_len());
  for (std::int64_t t = share.begin; t < share.end; ++t) {
    for (std::int64_t row = 0; row < work.rows(t); ++row) {
      apply_dropout(key, config_.dropout, l, work.steps.row_in_batch(work.first + row), t,
                    {values.at(work.row(t) + row), static_cast<std::size_t>(values.stride)});
    }
  }
  work.member.wait();
}

void NativeBackend::backward(const NativeWork& work, const DropoutKey* dropout) {
  head_.backward(work, d_output(config_.num_layers - 1));
  for (std::int64_t l = config_.num_layers - 1; l >= 0; --l) {
    if (dropout != nullptr && l + 1 < config_.num_layers) drop(work, *dropout, l, d_output(l));
    for (std::int64_t direction = 0; direction < directions_; ++direction) {
      PackedRows dy = d_output(l);
      dy.data += direction * config_.h_size();
      layer(l, direction)
          .backward(work, output(l, direction).rows, dy, d_output(l - 1), direction == 1);
    }
  }
}

void NativeBackend::gradient(std::int64_t task, bool dropped) {
  if (embedding_) {
    if (task < embedding_->gradient_tasks()) return embedding_->gradient(task, d_output(-1));
    task -= embedding_->gradient_tasks();
  }
  for (std::int64_t l = 0; l < config_.num_layers; ++l) {
    for (std::int64_t direction = 0; direction < directions_; ++direction) {
      auto& one = layer(l, direction);
      if (task < one.gradient_tasks(arena_.threads())) {
        return one.gradient(task, arena_.threads(), steps_, input(l, dropped),
                            output(l, direction));
      }
      task -= one.gradient_tasks(arena_.threads());
    }
  }
  head_.gradient(task, steps_, output(config_.num_layers - 1, 0).rows);
}

}  // namespace quadgate
