#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/model/batch.h"
#include "engine/model/config.h"
#include "engine/model/parameters.h"
#include "tests/support/normalization_reference.h"

namespace quadgate::testing {

/// Embedding, normalization and convolution, where a model has them, forward and backward in
/// double, by the definitions of torch.nn.Embedding, RevIN, Conv1d, ReLU and MaxPool1d.
class FrontReference {
 public:
  FrontReference(const ModelConfig& config, const Parameters& parameters, const Batch& batch)
      : config_(config), parameters_(parameters), batch_(batch), offsets_(batch.offsets) {
    x_.assign(batch.x.begin(), batch.x.end());
    for (const std::int32_t token : batch.tokens) {
      const auto row = parameters.value(parameters.embedding_weight())
                           .subspan(static_cast<std::size_t>(token * config.input_size()),
                                    static_cast<std::size_t>(config.input_size()));
      x_.insert(x_.end(), row.begin(), row.end());
    }
    if (config.normalization.changes_features()) {
      x_ = NormalizationReference(config, parameters, batch).features();
    }
    if (config.conv) convolve();
  }

  /// Where the rows of `features` begin and end, as Batch::offsets.
  const std::vector<std::int64_t>& offsets() const { return offsets_; }
  /// The input of the recurrent stack [sum of lengths, I].
  const std::vector<double>& features() const { return config_.conv ? y_ : x_; }

  /// Adds the gradients of the parameters, in their layout, from the gradient of the features.
  void backward(const std::vector<double>& d_features, std::span<double> gradients) const {
    std::vector<double> d_x = d_features;
    if (config_.conv) d_x = convolve_back(d_features, gradients);
    if (config_.normalization.is_affine()) {
      NormalizationReference(config_, parameters_, batch_).backward_features(d_x, gradients);
    }
    const auto width = static_cast<std::size_t>(config_.input_size());
    for (std::size_t i = 0; i < batch_.tokens.size(); ++i) {
      if (batch_.tokens[i] == config_.embedding.padding_index) continue;
      const auto row = static_cast<std::size_t>(batch_.tokens[i]) * width;
      for (std::size_t k = 0; k < width; ++k) gradients[row + k] += d_x[i * width + k];
    }
  }

 private:
  /// The place in x of the input channel that tap `tap` of step t sees; none in the padding.
  std::optional<std::size_t> place(std::int64_t row, std::int64_t t, std::int64_t tap,
                                   std::int64_t input) const {
    const auto offset = batch_.offsets.begin() + row;
    const std::int64_t step = t + tap - config_.conv->padding;
    if (step < 0 || step >= offset[1] - offset[0]) return {};
    return static_cast<std::size_t>((offset[0] + step) * config_.input_size() + input);
  }

  /// Calls body(weight's element, place in x) for each term of a channel at step t before pooling.
  template <typename Body>
  void for_each_term(std::int64_t row, std::int64_t t, std::int64_t channel, Body body) const {
    const ConvConfig& conv = *config_.conv;
    for (std::int64_t input = 0; input < conv.input_size; ++input) {
      for (std::int64_t tap = 0; tap < conv.kernel_size; ++tap) {
        const auto from = place(row, t, tap, input);
        const std::int64_t weight = (channel * conv.input_size + input) * conv.kernel_size + tap;
        if (from) body(static_cast<std::size_t>(weight), *from);
      }
    }
  }

  void convolve() {
    const ConvConfig& conv = *config_.conv;
    const auto weight = parameters_.value(parameters_.slice("conv.weight"));
    const auto bias = parameters_.value(parameters_.slice("conv.bias"));
    offsets_ = {0};
    for (std::int64_t row = 0; row < batch_.rows(); ++row) {
      const auto offset = batch_.offsets.begin() + row;
      const std::int64_t whole = offset[1] - offset[0] + 2 * conv.padding - conv.kernel_size + 1;
      std::int64_t steps = 0;
      for (; (steps + 1) * conv.pool_size <= whole; ++steps) {
        for (std::int64_t channel = 0; channel < conv.channels; ++channel) {
          double best = 0;  // what ReLU leaves of all below
          std::int64_t best_at = -1;
          for (std::int64_t t = steps * conv.pool_size; t < (steps + 1) * conv.pool_size; ++t) {
            auto sum = static_cast<double>(bias[static_cast<std::size_t>(channel)]);
            for_each_term(row, t, channel, [&](std::size_t element, std::size_t from) {
              sum += static_cast<double>(weight[element]) * x_[from];
            });
            if (sum > best) {
              best = sum;
              best_at = t;
            }
          }
          y_.push_back(best);
          winners_.push_back(best_at);
        }
      }
      offsets_.push_back(offsets_.back() + steps);
    }
  }

  std::vector<double> convolve_back(const std::vector<double>& d_y,
                                    std::span<double> gradients) const {
    const auto& weight = parameters_.slice("conv.weight");
    const auto& bias = parameters_.slice("conv.bias");
    std::vector<double> d_x(x_.size());
    std::size_t i = 0;
    for (std::int64_t row = 0; row < batch_.rows(); ++row) {
      const auto offset = offsets_.begin() + row;
      for (std::int64_t step = offset[0]; step < offset[1]; ++step) {
        for (std::int64_t channel = 0; channel < config_.conv->channels; ++channel, ++i) {
          if (winners_[i] < 0) continue;
          gradients[bias.offset + static_cast<std::size_t>(channel)] += d_y[i];
          for_each_term(row, winners_[i], channel, [&](std::size_t element, std::size_t from) {
            gradients[weight.offset + element] += d_y[i] * x_[from];
            d_x[from] += d_y[i] * static_cast<double>(parameters_.value(weight)[element]);
          });
        }
      }
    }
    return d_x;
  }

  const ModelConfig& config_;
  const Parameters& parameters_;
  const Batch& batch_;
  std::vector<std::int64_t> offsets_;
  std::vector<double> x_, y_;
  std::vector<std::int64_t> winners_;  // the step of each of y, before pooling; -1: none
};

}  // namespace quadgate::testing
