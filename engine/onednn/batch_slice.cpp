#include "engine/onednn/batch_slice.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace quadgate::onednn {

BatchSlice::BatchSlice(const ModelConfig& config, const Parameters& parameters,
                       const StackWeights& weights, std::int64_t seq_len, std::int64_t rows)
    : config_(config),
      loss_(config),
      parameters_(parameters),
      seq_len_(seq_len),
      rows_(rows),
      lengths_(static_cast<std::size_t>(rows)),
      lstm_(config.rnn, weights, seq_len, rows),
      head_{.rows = config.task == Task::tagging ? seq_len * rows : rows,
            .in_features = config.rnn.output_size(),
            .out_features = config.output_size},
      outputs_(static_cast<std::size_t>(head_.rows * head_.out_features)),
      d_outputs_(outputs_.size()) {
  if (config.task != Task::regression) {
    labels_.resize(static_cast<std::size_t>(head_.rows));
  }
  if (config.task != Task::tagging) {
    pooled_ = Buffer(static_cast<std::size_t>(head_.rows * head_.in_features));
    d_pooled_ = Buffer(pooled_.size());
  }
}

void BatchSlice::load(const Batch& batch) {
  const std::int64_t width = config_.rnn.input_size;
  used_rows_ = std::min(rows_, batch.rows() - first_row_);
  float* x = lstm_.input().data();
  for (std::int64_t row = 0; row < rows_; ++row) {
    const auto offset = batch.offsets.begin() + first_row_ + row;
    const std::int64_t length = row < used_rows_ ? offset[1] - offset[0] : 0;
    lengths_[static_cast<std::size_t>(row)] = length;
    for (std::int64_t t = 0; t < seq_len_; ++t) {
      float* step = x + (t * rows_ + row) * width;
      if (t < length) {
        std::copy_n(batch.x.data() + (offset[0] + t) * width, width, step);
      } else {
        std::fill_n(step, width, 0.0F);
      }
    }
  }
}

template <typename Body>
void BatchSlice::for_each_final_state(Body body) {
  const std::int64_t hidden_size = config_.rnn.hidden_size;
  const std::int64_t width = config_.rnn.output_size();
  for (std::int64_t row = 0; row < used_rows_; ++row) {
    const std::int64_t last = lengths_[static_cast<std::size_t>(row)] - 1;
    body((last * rows_ + row) * width, row * width);
    if (config_.rnn.bidirectional) {  // the reverse direction ends at the first step
      body(row * width + hidden_size, row * width + hidden_size);
    }
  }
}

BatchSlice::Forward BatchSlice::forward(const Batch& batch, std::int64_t first_row,
                                        const DropoutMask* dropout) {
  first_row_ = first_row;
  load(batch);
  LstmStack::Forward lstm = lstm_.forward(lengths_, dropout);
  const float* features = lstm_.output().data();
  if (config_.task != Task::tagging) {
    for_each_final_state([&](std::int64_t from, std::int64_t to) {
      std::copy_n(features + from, config_.rnn.hidden_size, pooled_.data() + to);
    });
    features = pooled_.data();
  }
  head_.forward(features, parameters_.value(parameters_.head_weight()).data(),
                parameters_.value(parameters_.head_bias()).data(), outputs_.data());
  return {batch, std::move(lstm)};
}

void BatchSlice::load_labels(const Batch& batch) {
  std::ranges::fill(labels_, config_.loss.ignore_index);
  for (std::int64_t row = 0; row < used_rows_; ++row) {
    if (config_.task == Task::classification) {
      labels_[static_cast<std::size_t>(row)] =
          batch.labels[static_cast<std::size_t>(first_row_ + row)];
      continue;
    }
    const std::int64_t offset = batch.offsets[static_cast<std::size_t>(first_row_ + row)];
    for (std::int64_t t = 0; t < lengths_[static_cast<std::size_t>(row)]; ++t) {
      labels_[static_cast<std::size_t>(t * rows_ + row)] =
          batch.labels[static_cast<std::size_t>(offset + t)];
    }
  }
}

Metrics BatchSlice::loss(const Forward& forward) { return loss(*forward.batch_, 0, nullptr); }

BatchSlice::Loss BatchSlice::loss(Forward forward, float gradient_scale) {
  const Metrics metrics = loss(*forward.batch_, gradient_scale, d_outputs_.data());
  return {std::move(forward), metrics};
}

Metrics BatchSlice::loss(const Batch& batch, float gradient_scale, float* d_outputs) {
  if (config_.task != Task::regression) {
    load_labels(batch);
    return loss_.of_labels(outputs_.data(), labels_, gradient_scale, d_outputs);
  }
  const auto used = static_cast<std::size_t>(used_rows_ * config_.output_size);
  if (d_outputs != nullptr) {
    std::ranges::fill(d_outputs_.span().subspan(used), 0.0F);
  }
  const auto targets =
      std::span(batch.targets)
          .subspan(static_cast<std::size_t>(first_row_ * config_.output_size), used);
  return loss_.of_values(outputs_.span().first(used), targets, gradient_scale, d_outputs);
}

void BatchSlice::backward(const Loss& loss, const GradientSum& sum, float* gradients) {
  const float* weight = parameters_.value(parameters_.head_weight()).data();
  const auto d_features = lstm_.d_output();
  const bool pooled = config_.task != Task::tagging;
  head_.backward(pooled ? pooled_.data() : lstm_.output().data(), weight, d_outputs_.data(),
                 pooled ? d_pooled_.data() : d_features.data(), gradients + sum.head_weight(),
                 gradients + sum.head_bias());
  if (pooled) {
    std::ranges::fill(d_features, 0.0F);
    for_each_final_state([&](std::int64_t to, std::int64_t from) {
      std::copy_n(d_pooled_.data() + from, config_.rnn.hidden_size, d_features.data() + to);
    });
  }
  lstm_.backward(loss.forward_.lstm_, gradients);
}

void BatchSlice::copy_outputs(const Forward& forward, std::span<float> outputs) const {
  const Batch& batch = *forward.batch_;
  const std::int64_t width = config_.output_size;
  for (std::int64_t row = 0; row < used_rows_; ++row) {
    if (config_.task != Task::tagging) {
      std::copy_n(outputs_.data() + row * width, width,
                  outputs.data() + (first_row_ + row) * width);
      continue;
    }
    const std::int64_t offset = batch.offsets[static_cast<std::size_t>(first_row_ + row)];
    for (std::int64_t t = 0; t < lengths_[static_cast<std::size_t>(row)]; ++t) {
      std::copy_n(outputs_.data() + (t * rows_ + row) * width, width,
                  outputs.data() + (offset + t) * width);
    }
  }
}

}  // namespace quadgate::onednn
