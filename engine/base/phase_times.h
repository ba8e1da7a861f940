#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>

namespace quadgate {

/// What the cores do in a training step.
enum class Phase : std::uint8_t {
  input_product,        ///< the convolution and x W_ih^T for all steps, and d(x) on the way back
  recurrence_forward,   ///< h W_hh^T, gates and states, step by step
  recurrence_backward,  ///< gate derivatives and d(h), step by step
  weight_gradients,     ///< of every layer and the head
  head_and_loss,        ///< logits, loss and their gradients
  optimizer,  ///< clip, update, and packing the new weights for the kernels, or those that
              ///< weight_dropout leaves
  waiting,    ///< a core without work waits until the others are done
};
inline constexpr std::size_t kPhases = 7;

/// "input_product", "recurrence_forward", ...
constexpr std::string_view to_string(Phase phase) noexcept {
  constexpr std::array<std::string_view, kPhases> kNames{
      "input_product",    "recurrence_forward", "recurrence_backward",
      "weight_gradients", "head_and_loss",      "optimizer",
      "waiting"};
  return kNames[static_cast<std::size_t>(phase)];
}

/// Core-seconds by phase: two cores that are busy for one second make two.
struct PhaseTimes {
  std::array<double, kPhases> core_seconds{};

  double& operator[](Phase phase) noexcept { return core_seconds[static_cast<std::size_t>(phase)]; }
  double operator[](Phase phase) const noexcept {
    return core_seconds[static_cast<std::size_t>(phase)];
  }
  double total() const noexcept {
    return std::accumulate(core_seconds.begin(), core_seconds.end(), 0.0);
  }
  PhaseTimes& operator+=(const PhaseTimes& other) noexcept {
    for (std::size_t i = 0; i < kPhases; ++i) core_seconds[i] += other.core_seconds[i];
    return *this;
  }
};

}  // namespace quadgate
