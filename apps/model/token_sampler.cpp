#include "apps/model/token_sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "engine/base/error.h"
#include "engine/base/random.h"

namespace quadgate::apps {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

template <typename Number>
void expect(bool holds, const char* option, const char* expected, Number found) {
  if (!holds)
    throw InvalidArgument(fmt::format("{}: expected {}, found {}", option, expected, found));
}

}  // namespace

void validate(const SamplingOptions& options) {
  const auto& [temperature, top_k, top_p, penalty, seed] = options;
  expect(temperature >= 0 && temperature <= 100, "--temperature", "0 to 100", temperature);
  expect(top_k >= 0, "--top-k", "0 (all) or more", top_k);
  expect(top_p > 0 && top_p <= 1, "--top-p", "above 0 and at most 1", top_p);
  expect(penalty > 0 && std::isfinite(penalty), "--repetition-penalty", "a number above 0",
         penalty);
}

TokenSampler::TokenSampler(const SamplingOptions& options, std::size_t vocabulary_size,
                           std::int32_t never)
    : options_(options), never_(never), in_text_(vocabulary_size), order_(vocabulary_size) {
  std::iota(order_.begin(), order_.end(), 0);
}

void TokenSampler::add(std::int32_t token) {
  const auto index = static_cast<std::size_t>(token);
  if (in_text_[index]) return;
  in_text_[index] = true;
  text_.push_back(index);
}

std::int32_t TokenSampler::draw(std::span<const float> logits) {
  const auto& [temperature, top_k, top_p, penalty, seed] = options_;
  weights_.assign(logits.begin(), logits.end());
  for (const std::size_t token : text_) {
    double& weight = weights_[token];
    weight = weight > 0 ? weight / penalty : weight * penalty;
  }
  if (never_ >= 0) weights_[static_cast<std::size_t>(never_)] = kNever;
  const auto likeliest = std::ranges::max_element(weights_);
  if (temperature == 0) return static_cast<std::int32_t>(likeliest - weights_.begin());
  if (top_k > 0) keep_top_k();
  const double most = *likeliest;
  for (double& weight : weights_) weight = std::exp((weight - most) / temperature);
  if (top_p < 1) keep_top_p();
  const auto words = philox(seed, {static_cast<std::uint32_t>(RandomUse::sample), drawn_++, 0, 0});
  double left = std::accumulate(weights_.begin(), weights_.end(), 0.0) *
                static_cast<double>(to_unit_float(words[0]));
  std::size_t token = 0;
  for (std::size_t i = 0; i < weights_.size() && left >= 0; ++i) {
    if (weights_[i] == 0) continue;
    token = i;
    left -= weights_[i];
  }
  return static_cast<std::int32_t>(token);
}

/// Leaves the largest scores, and those that equal the smallest of them.
void TokenSampler::keep_top_k() {
  const auto k = static_cast<std::size_t>(options_.top_k);
  if (k >= weights_.size()) return;
  std::vector<double> scores = weights_;
  const auto last = scores.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::ranges::nth_element(scores, last, std::greater<>());
  for (double& weight : weights_) {
    if (weight < *last) weight = kNever;
  }
}

/// Leaves the fewest of the largest weights whose sum exceeds, or reaches, top_p of all: of equal
/// ones, the first.
void TokenSampler::keep_top_p() {
  std::ranges::sort(order_, [&](std::size_t a, std::size_t b) {
    return weights_[a] != weights_[b] ? weights_[a] > weights_[b] : a < b;
  });
  const double all = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  double sum = 0;
  for (const std::size_t token : order_) {
    if (sum >= options_.top_p * all) weights_[token] = 0;
    sum += weights_[token];
  }
}

}  // namespace quadgate::apps
