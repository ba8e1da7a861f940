#include "engine/native/normalization.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>

namespace quadgate::native {
namespace {

/// What divides an output of a column with this affine_weight.
float divisor(float weight) noexcept { return weight + kNormalizationEps * kNormalizationEps; }

}  // namespace

Normalization::Normalization(const NetworkPlan& plan, const Parameters& parameters,
                             GradientBuffer& gradient)
    : config_(plan.model.normalization),
      input_size_(plan.model.input_size()),
      output_size_(plan.model.output_size),
      capacity_(plan.seq_len * plan.batch_size),
      level_(static_cast<std::size_t>(plan.batch_size * input_size_)) {
  for (std::int64_t o = 0; o < output_size_; ++o) columns_.push_back(plan.model.level_column(o));
  if (config_.changes_features()) x_ = Buffer(static_cast<std::size_t>(capacity_ * input_size_));
  if (!config_.is_affine()) return;
  scale_ = Buffer(level_.size());
  values_ = Buffer(static_cast<std::size_t>(plan.batch_size * output_size_));
  const ParameterSlice& weight = parameters.slice("norm.affine_weight");
  const ParameterSlice& bias = parameters.slice("norm.affine_bias");
  weight_ = parameters.value(weight).data();
  bias_ = parameters.value(bias).data();
  weight_range_ = weight.range();
  bias_range_ = bias.range();
  weight_gradient_ = gradient.of(weight);
  bias_gradient_ = gradient.of(bias);
}

void Normalization::add_pack_tasks(std::vector<PackTask>& tasks) const {
  if (config_.is_affine()) tasks.push_back({{weight_range_, bias_range_}, [] {}});
}

/// Calls body(place) for each sequence of the member's share.
template <typename Body>
void Normalization::for_each_place(const WorkRange& work, Body body) {
  const auto share = work.member.share(work.last - work.first);
  for (auto place = work.first + share.begin; place < work.first + share.end; ++place) body(place);
}

/// Finds level and scale of a sequence's columns, in double.
void Normalization::measure(const float* x, std::int64_t steps, std::int64_t place) {
  float* const level = at(level_, place);
  if (!config_.is_affine()) {
    std::copy_n(x + (steps - 1) * input_size_, input_size_, level);
    for (const std::int64_t column : config_.without_level) level[column] = 0;
    return;
  }
  const auto count = static_cast<double>(steps);
  for (std::int64_t i = 0; i < input_size_; ++i) {
    double sum = 0;
    for (std::int64_t t = 0; t < steps; ++t) sum += x[t * input_size_ + i];
    const double mean = sum / count;
    double squares = 0;
    for (std::int64_t t = 0; t < steps; ++t) {
      const double deviation = x[t * input_size_ + i] - mean;
      squares += deviation * deviation;
    }
    level[i] = static_cast<float>(mean);
    at(scale_, place)[i] = static_cast<float>(std::sqrt(squares / count + kNormalizationEps));
  }
  for (const std::int64_t column : config_.without_level) {
    level[column] = 0;
    at(scale_, place)[column] = 1;
  }
}

void Normalization::normalize(const float* x, std::int64_t steps, std::int64_t place,
                              float* to) const {
  const float* const level = at(level_, place);
  for (std::int64_t t = 0; t < steps; ++t) {
    for (std::int64_t i = 0; i < input_size_; ++i) {
      const float value = *x++ - level[i];
      *to++ = config_.is_affine() ? value / at(scale_, place)[i] * weight_[i] + bias_[i] : value;
    }
  }
}

void Normalization::forward(const WorkRange& work) {
  const Batch& batch = work.pass.batch;
  for_each_place(work, [&](std::int64_t place) {
    const auto row = static_cast<std::size_t>(work.pass.steps.row_in_batch(place));
    const std::int64_t offset = batch.offsets[row];
    const std::int64_t steps = batch.offsets[row + 1] - offset;
    const float* const x = batch.x.data() + offset * input_size_;
    measure(x, steps, place);
    if (config_.changes_features()) {
      normalize(x, steps, place, x_.data() + offset * input_size_);
    }
  });
  work.member.wait();
}

void Normalization::restore(const Head::Forward& forward, const RowView& outputs) {
  for_each_place(forward.work(), [&](std::int64_t place) {
    const float* const level = at(level_, place);
    float* const output = outputs.at(place);
    for (std::int64_t o = 0; o < output_size_; ++o) {
      const std::int64_t column = columns_[static_cast<std::size_t>(o)];
      if (column < 0) continue;
      if (config_.is_affine()) {
        const float value = (output[o] - bias_[column]) / divisor(weight_[column]);
        values_.data()[place * output_size_ + o] = value;
        output[o] = value * at(scale_, place)[column];
      }
      output[o] += level[column];
    }
  });
}

void Normalization::backward(const Head::Losses& losses, const RowView& d_outputs) {
  if (!config_.is_affine()) return;
  for_each_place(losses.work(), [&](std::int64_t place) {
    const float* const scale = at(scale_, place);
    float* const d = d_outputs.at(place);
    for (std::int64_t o = 0; o < output_size_; ++o) {
      const std::int64_t column = columns_[static_cast<std::size_t>(o)];
      d[o] *= scale[column] / divisor(weight_[column]);
    }
  });
}

void Normalization::add_gradient_tasks(TaskList& tasks, const RowView& d_x, bool in_batch_order,
                                       const RowView& d_outputs) {
  if (!config_.is_affine()) return;
  for (std::int64_t first = 0; first < input_size_; first += kColumns) {
    const Columns columns{first, std::min(kColumns, input_size_ - first)};
    tasks.add({.cost = static_cast<double>(capacity_ * columns.count),
               .writes = {weight_range_, bias_range_},
               .run = [=, this](const Differentiated& backward, double* square) {
                 *square = gradient(backward.pass(), columns, d_x, in_batch_order, d_outputs);
               }});
  }
}

/// Computes the gradient of some columns' weights and biases. Returns the sum of its squares.
double Normalization::gradient(const Pass& pass, const Columns& columns, const RowView& d_x,
                               bool in_batch_order, const RowView& d_outputs) {
  std::array<double, kColumns> d_weight{};
  std::array<double, kColumns> d_bias{};
  const Batch& batch = pass.batch;
  for (std::int64_t place = 0; place < pass.steps.rows(); ++place) {
    const auto row = static_cast<std::size_t>(pass.steps.row_in_batch(place));
    const std::int64_t offset = batch.offsets[row];
    const float* const level = at(level_, place);
    const float* const scale = at(scale_, place);
    for (std::int64_t t = 0; t < batch.offsets[row + 1] - offset; ++t) {
      const float* const x = batch.x.data() + (offset + t) * input_size_;
      const float* const d = d_x.at(in_batch_order ? offset + t : pass.steps.row(place, t));
      for (std::int64_t i = 0; i < columns.count; ++i) {
        const std::int64_t column = columns.first + i;
        const float value = (x[column] - level[column]) / scale[column];
        d_weight[static_cast<std::size_t>(i)] += static_cast<double>(d[column]) * value;
        d_bias[static_cast<std::size_t>(i)] += d[column];
      }
    }
    for (std::int64_t o = 0; o < output_size_; ++o) {
      const std::int64_t i = columns_[static_cast<std::size_t>(o)] - columns.first;
      if (i < 0 || i >= columns.count) continue;
      const auto d = static_cast<double>(d_outputs.at(place)[o]);
      d_weight[static_cast<std::size_t>(i)] -= d * values_.data()[place * output_size_ + o];
      d_bias[static_cast<std::size_t>(i)] -= d;
    }
  }
  double square = 0;
  for (std::int64_t i = 0; i < columns.count; ++i) {
    const auto set = [&](float* gradient, double value) {
      gradient[columns.first + i] = static_cast<float>(value);
      square += value * value;
    };
    set(weight_gradient_, d_weight[static_cast<std::size_t>(i)]);
    set(bias_gradient_, d_bias[static_cast<std::size_t>(i)]);
  }
  return square;
}

}  // namespace quadgate::native
