#include "engine/native/stack.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>

#include "engine/native/layer.h"

namespace quadgate::native {

Stack::Stack(const StackPlan& plan, const Parameters& parameters, GradientBuffer& gradient)
    : config_(plan.config),
      directions_(config_.num_directions()),
      capacity_(plan.seq_len * plan.batch_size),
      cores_(plan.cores),
      slots_(plan.slots),
      slot_rows_(plan.slices.one_by_one && !plan.has_states && !plan.forward_only
                     ? plan.slices.rows * plan.seq_len
                     : 0),
      precision_(plan.kind == nullptr ? plan.precision : Precision::f32),
      round_rows_(kernels::bf16_rows_kernel(plan.isa)),
      steps_(plan.seq_len, plan.batch_size,
             {.has_states = plan.has_states,
              .has_neighbours = !plan.forward_only,
              .slice_rows = plan.slices.rows}) {
  const CellKernels cell = cell_kernels(
      config_.cell, kernel_arithmetic(precision_, plan.arithmetic, plan.isa), plan.isa);
  const std::int64_t rows = inner_rows() - steps_.initial_rows();
  x_.pairs = pairs(rows, 1, config_.input_size);
  if (!plan.has_callers) x_.rows = Buffer(floats(rows, config_.input_size));
  if (!plan.forward_only) {
    const std::int64_t own = config_.num_layers - (plan.has_callers ? 1 : 0);
    for (std::int64_t l = 0; l < std::min<std::int64_t>(own, std::ssize(d_)); ++l) {
      d_[static_cast<std::size_t>(l)] = Buffer(floats(rows, config_.output_size()));
    }
    if (plan.has_d_input && !plan.has_callers) {
      d_x_ = Buffer(floats(capacity_, config_.input_size));
    }
  }
  for (std::int64_t l = 0; l < config_.num_layers; ++l) {
    for (std::int64_t direction = 0; direction < directions_; ++direction) {
      const LayerPlan layer{.prefix = plan.prefix,
                            .suffix = fmt::format("_l{}{}", l, direction == 0 ? "" : "_reverse"),
                            .layer = l,
                            .reverse = direction == 1,
                            .input_gradient = l > 0 || plan.has_d_input,
                            .input_parts = l == 0 ? 1 : directions_,
                            .capacity = capacity_,
                            .batch_size = plan.batch_size,
                            .initial_rows = steps_.initial_rows(),
                            .cores = cores_,
                            .slices = plan.slices,
                            .slots = plan.slots,
                            .forward_only = plan.forward_only,
                            .precision = plan.precision,
                            .isa = plan.isa};
      layers_.push_back(plan.kind != nullptr
                            ? plan.kind->make(config_, layer, parameters, gradient)
                            : std::make_unique<Layer>(cell, config_, layer, parameters, gradient));
    }
  }
  const bool take_turns = plan.forward_only && !plan.has_states && config_.num_layers > 2;
  for (std::int64_t l = 0; l < (take_turns ? 2 : config_.num_layers); ++l) {
    const bool is_last = l + 1 == config_.num_layers;
    y_.push_back(features(is_last ? steps_.initial_rows() + capacity_ : inner_rows(), directions_,
                          config_.h_size()));
  }
  plan_dropout(plan);
}

/// In bf16: of features of some layer.
Buffer Stack::pairs(std::int64_t rows, std::int64_t parts, std::int64_t width) const {
  constexpr std::int64_t kReadBehind = 8;  // see Bf16Interleave
  if (precision_ != Precision::bf16) return {};
  return Buffer(static_cast<std::size_t>(rows * parts * ((width + 1) / 2) + kReadBehind));
}

void Stack::add_input_pack_tasks(std::int64_t layer, std::vector<PackTask>& tasks) {
  for (std::int64_t direction = 0; direction < directions_; ++direction) {
    this->layer(layer, direction).add_input_pack_tasks(tasks);
  }
}

void Stack::add_recurrent_pack_tasks(std::int64_t layer, std::vector<PackTask>& tasks) {
  for (std::int64_t direction = 0; direction < directions_; ++direction) {
    this->layer(layer, direction).add_recurrent_pack_tasks(tasks);
  }
}

Pass Stack::begin(const Batch& batch, std::span<const std::int64_t> offsets,
                  const DropoutKey* dropout, std::optional<float> gradient_scale,
                  Workers& workers) {
  steps_.assign(offsets);
  const Pass pass(batch, steps_, dropout, gradient_scale);
  sync_recurrent_weights(pass, workers);
  return pass;
}

LayerRows Stack::input(std::int64_t layer, bool dropped, const WorkRange* work) noexcept {
  const std::int64_t size = config_.input_size;
  const std::int64_t shift = layer < config_.num_layers ? this->shift(work) : 0;
  if (layer == 0) {
    const bool is_callers = work != nullptr && work->pass.callers.x.data != nullptr;
    return {is_callers ? work->pass.callers.x : RowView{x_.rows.data() + shift * size, size},
            {x_.pairs.data(), (size + 1) / 2},
            0};
  }
  Features& features = output_of(layer - 1, dropped);
  const std::int64_t initial_rows = steps_.initial_rows();
  const std::int64_t pairs = (config_.h_size() + 1) / 2;
  LayerRows rows{{features.rows.data() + (initial_rows + shift) * config_.output_size(),
                  config_.output_size()},
                 {features.pairs.data(), pairs},
                 (initial_rows + capacity_) * pairs};
  if (precision_ == Precision::bf16) rows.pairs.data += initial_rows * pairs;
  return rows;
}

LayerRows Stack::output(std::int64_t layer, std::int64_t direction,
                        const WorkRange* work) noexcept {
  LayerRows rows = input(layer + 1, false, work);
  rows.rows.data += direction * config_.h_size();
  if (precision_ == Precision::bf16) rows.pairs.data += direction * rows.pair_parts_stride;
  return rows;
}

RowView Stack::d_output(std::int64_t layer, const WorkRange* work) noexcept {
  const bool has_callers = work != nullptr && work->pass.callers.d_output.data != nullptr;
  if (layer < 0)
    return has_callers ? work->pass.callers.d_x : RowView{d_x_.data(), config_.input_size};
  if (has_callers && layer + 1 == config_.num_layers) return work->pass.callers.d_output;
  const std::int64_t width = config_.output_size();
  return {d_[static_cast<std::size_t>(layer % 2)].data() + shift(work) * width, width};
}

Stack::Loaded Stack::load(const WorkRange& work, const StepFeatures& features) {
  const Batch& batch = work.pass.batch;
  return load_rows(work, [&](std::int64_t place, std::int64_t t) {
    const auto row = static_cast<std::size_t>(work.pass.steps.row_in_batch(place));
    return features.at(batch.offsets[row] + t);
  });
}

Stack::Loaded Stack::load(const WorkRange& work, const RowView& features) {
  return load_rows(work, [&](std::int64_t place, std::int64_t t) {
    return features.at(work.pass.steps.row(place, t));
  });
}

void Stack::round(const WorkRange& work, const LayerRows& features, std::int64_t parts) const {
  if (precision_ != Precision::bf16) return;
  const std::int64_t width = features.rows.stride / parts;
  const auto share = work.member.share(work.pass.steps.seq_len());
  for (std::int64_t t = share.begin; t < share.end; ++t) {
    for (std::int64_t part = 0; part < parts; ++part) {
      round_rows_({.rows = work.rows(t),
                   .columns = width,
                   .from = features.rows.at(work.row(t)) + part * width,
                   .from_stride = features.rows.stride,
                   .to = features.pairs.at(work.row(t)) + part * features.pair_parts_stride,
                   .to_stride = features.pairs.stride});
    }
  }
  work.member.wait();
}

Stack::Forward Stack::forward(Loaded loaded, PackStages* stages) {
  const WorkRange& work = loaded.work();
  for (std::int64_t l = 0; l < config_.num_layers; ++l) {
    if (stages != nullptr) stages->finish(2 * l, work.times);
    for (std::int64_t direction = 0; direction < directions_; ++direction) {
      layer(l, direction)
          .forward(work, input(l, work.pass.drops(), &work), output(l, direction, &work), stages,
                   2 * l + 1);
    }
    drop_output(work, l);
  }
  return Forward(work);
}

Stack::Backward Stack::backward(Forward forward, const RecurrentStates* d_states,
                                std::int64_t down_to) {
  load_d_states(forward.work(), d_states);
  for (std::int64_t l = config_.num_layers - 1; l >= down_to; --l) layer_backward(forward, l);
  return Backward(forward.work());
}

Stack::Backward Stack::go_on_backward(const Backward& above, std::int64_t layer) {
  layer_backward(Forward(above.work()), layer);
  return Backward(above.work());
}

void Stack::layer_backward(const Forward& forward, std::int64_t l) {
  const WorkRange& work = forward.work();
  dropout_before(l + 1).apply(work, d_output(l, &work), d_output(l, &work));
  for (std::int64_t direction = 0; direction < directions_; ++direction) {
    RowView dy = d_output(l, &work);
    dy.data += direction * config_.h_size();
    layer(l, direction)
        .backward(forward, {.x = input(l, work.pass.drops(), &work).rows,
                            .y = output(l, direction, &work).rows,
                            .dy = dy,
                            .dx = d_output(l - 1, &work),
                            .add = direction == 1});
  }
  if (l == 0 && d_input(work).data != nullptr) {
    dropout_before(0).apply(work, d_input(work), d_input(work));
  }
}

void Stack::add_gradient_tasks(TaskList& tasks) {
  for (std::int64_t l = 0; l < config_.num_layers; ++l) {
    for (std::int64_t direction = 0; direction < directions_; ++direction) {
      layer(l, direction)
          .add_gradient_tasks(
              tasks,
              {.x = input(l, false), .dropped_x = input(l, true), .y = output(l, direction)});
    }
  }
}

}  // namespace quadgate::native
