#include "engine/model/crf.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "kernels/base/isa.h"
#include "kernels/loss/crf/crf.h"

namespace quadgate {
namespace {

/// log of the sum of e^(a[i] + b[i]).
double log_sum_exp(const float* a, const float* b, std::int64_t count) noexcept {
  double largest = -std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < count; ++i) largest = std::max(largest, double{a[i]} + double{b[i]});
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += std::exp(double{a[i]} + double{b[i]} - largest);
  return largest + std::log(sum);
}

/// The first i of the largest a[i] + b[i].
std::int64_t best_of(const float* a, const float* b, std::int64_t count) noexcept {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < count; ++i) {
    if (a[i] + b[i] > a[best] + b[best]) best = i;
  }
  return best;
}

}  // namespace

Crf::Crf(const Parameters& parameters)
    : kernels_(std::make_unique<kernels::CrfKernels>(kernels::crf_kernels(kernels::active_isa()))),
      tags_(parameters.config().output_size),
      start_(parameters.value(parameters.slice("crf.start_transitions")).data()),
      end_(parameters.value(parameters.slice("crf.end_transitions")).data()),
      transitions_(parameters.value(parameters.slice("crf.transitions")).data()),
      transposed_(static_cast<std::size_t>(tags_ * tags_)),
      powers_(transposed_.span().size()),
      transposed_powers_(powers_.span().size()),
      zeros_(static_cast<std::size_t>(tags_)) {
  pack();
}

Crf::~Crf() = default;
Crf::Crf(Crf&&) noexcept = default;

void Crf::pack() noexcept {
  // The largest alpha of a step is 0, so its largest beta is within -20 - 2 log(N) and 20, and what
  // is lost below e^-87 is no part of any sum.
  constexpr float kSafe = 20;
  float largest = 0;
  for (std::int64_t i = 0; i < tags_; ++i) {
    for (std::int64_t j = 0; j < tags_; ++j) {
      const float score = transitions_[i * tags_ + j];
      transposed_.data()[j * tags_ + i] = score;
      largest = std::abs(score) <= largest ? largest : std::abs(score);
    }
  }
  has_powers_ = largest <= kSafe;
  if (!has_powers_) return;
  for (std::int64_t i = 0; i < tags_; ++i) {
    const std::int64_t at = i * tags_;
    kernels_->exp(tags_, transitions_ + at, zeros_.data(), 1, powers_.data() + at);
    kernels_->exp(tags_, transposed_.data() + at, zeros_.data(), 1, transposed_powers_.data() + at);
  }
}

/// to[j] = emissions[j] + log of the sum of e^(from[i] + scores[i, j]). `power` gets e^from where
/// that is of use.
void Crf::add_up(const float* scores, const float* powers, const float* from, float* power,
                 const float* emissions, float* to) const noexcept {
  if (!has_powers_) return kernels_->sum({tags_, scores, from, emissions, to});
  kernels_->exp(tags_, from, zeros_.data(), 1, power);
  kernels_->sum_powers({tags_, powers, power, emissions, to});
}

/// Takes the largest off all, so that no number grows with the length of a sequence. Returns it.
float Crf::normalize(float* alphas) const noexcept {
  const float largest = *std::max_element(alphas, alphas + tags_);
  for (std::int64_t i = 0; i < tags_; ++i) alphas[i] -= largest;
  return largest;
}

void Crf::decode(const Sequence& sequence, const Rows& rows, std::int64_t* tags) const noexcept {
  const auto scores = [&](std::int64_t t) { return rows.alphas + sequence.row(t) * tags_; };
  const auto emissions = [&](std::int64_t t) { return rows.emissions + sequence.row(t) * tags_; };
  for (std::int64_t i = 0; i < tags_; ++i) scores(0)[i] = start_[i] + emissions(0)[i];
  for (std::int64_t t = 1; t < sequence.length; ++t) {
    normalize(scores(t - 1));
    kernels_->best({tags_, transitions_, scores(t - 1), emissions(t), scores(t)});
  }
  std::int64_t tag = best_of(scores(sequence.length - 1), end_, tags_);
  for (std::int64_t t = sequence.length - 1;; --t) {
    tags[sequence.row(t)] = tag;
    if (t == 0) return;
    tag = best_of(scores(t - 1), transposed_.data() + tag * tags_, tags_);
  }
}

Crf::Forward Crf::forward(const Sequence& sequence, const Rows& rows) const noexcept {
  double total = 0;
  for (std::int64_t t = 0; t < sequence.length; ++t) {
    const std::int64_t row = sequence.row(t);
    float* const alphas = rows.alphas + row * tags_;
    const float* const emissions = rows.emissions + row * tags_;
    if (t == 0) {
      for (std::int64_t i = 0; i < tags_; ++i) alphas[i] = start_[i] + emissions[i];
    } else {
      const std::int64_t before = sequence.row(t - 1) * tags_;
      add_up(transitions_, powers_.data(), rows.alphas + before, rows.betas + before, emissions,
             alphas);
    }
    rows.shifts[row] = normalize(alphas);
    total += static_cast<double>(rows.shifts[row]);
  }
  return {sequence, rows, total + end(sequence, rows)};
}

/// log of the sum over the tags of the last step, after the shifts.
double Crf::end(const Sequence& sequence, const Rows& rows) const noexcept {
  return log_sum_exp(rows.alphas + sequence.row(sequence.length - 1) * tags_, end_, tags_);
}

double Crf::score(const Sequence& sequence, const Rows& rows,
                  const std::int64_t* labels) const noexcept {
  std::int64_t last = labels[sequence.row(0)];
  auto score = static_cast<double>(start_[last]);
  for (std::int64_t t = 0; t < sequence.length; ++t) {
    const std::int64_t row = sequence.row(t);
    const std::int64_t label = labels[row];
    if (t > 0) score += static_cast<double>(transitions_[last * tags_ + label]);
    score += static_cast<double>(rows.emissions[row * tags_ + label]);
    last = label;
  }
  return score + static_cast<double>(end_[last]);
}

void Crf::backward(Forward&& forward, float scale) const noexcept {
  const Sequence& sequence = forward.sequence_;
  const Rows& rows = forward.rows_;
  const auto total = static_cast<float>(end(sequence, rows));
  for (std::int64_t t = sequence.length - 1; t >= 0; --t) {
    const std::int64_t row = sequence.row(t);
    float* const betas = rows.betas + row * tags_;
    float* const emissions = rows.emissions + row * tags_;
    if (t + 1 == sequence.length) {
      for (std::int64_t i = 0; i < tags_; ++i) betas[i] = end_[i] - total;
    } else {
      float* const behind = rows.betas + sequence.row(t + 1) * tags_;
      add_up(transposed_.data(), transposed_powers_.data(), behind, behind, nullptr, betas);
    }
    // Behind this step they count with its own emissions, and without what the forward pass took
    // off its alphas.
    const float shift = rows.shifts[row];
    for (std::int64_t i = 0; i < tags_; ++i) {
      const float beta = betas[i];
      betas[i] = emissions[i] + beta - shift;
      emissions[i] = beta;
    }
    float* const alphas = rows.alphas + row * tags_;
    kernels_->exp(tags_, alphas, emissions, scale, emissions);
    if (has_powers_) kernels_->exp(tags_, alphas, zeros_.data(), 1, alphas);
  }
}

void Crf::count_transitions(std::int64_t first, std::int64_t count, std::int64_t pairs,
                            const float* alphas, const float* betas,
                            std::span<float> sums) const noexcept {
  const kernels::CrfCount job{.tags = tags_,
                              .first_row = first,
                              .rows = count,
                              .scores = has_powers_ ? powers_.data() : transitions_,
                              .pairs = pairs,
                              .from = alphas,
                              .to = betas,
                              .sums = sums.data()};
  has_powers_ ? kernels_->count_powers(job) : kernels_->count(job);
}

}  // namespace quadgate
