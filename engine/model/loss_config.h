#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quadgate {

enum class Task;

/// What training minimizes, with the definitions of PyTorch's modules
/// (https://docs.pytorch.org/docs/2.13/nn.html#loss-functions).
enum class LossKind : std::uint8_t {
  cross_entropy,  ///< classification, tagging: CrossEntropyLoss
  mse,            ///< regression, as the next ones: MSELoss
  mae,            ///< L1Loss
  huber,          ///< HuberLoss
  bce,            ///< BCEWithLogitsLoss: the model predicts the sigmoids of the head's outputs
  pinball,  ///< of quantiles q: max(q e, (q - 1) e), e = target - output, the mean over all of them
  /// The negative log-likelihoods of Normal and StudentT of torch.distributions, whose parameters
  /// the head's outputs tell (see distribution_of).
  gaussian,
  student_t,
};

/// "cross_entropy", "mse", "mae", "huber", "bce", "pinball", "gaussian" or "student_t".
std::string_view to_string(LossKind kind) noexcept;
/// The inverse of to_string; empty for any other text.
std::optional<LossKind> parse_loss(std::string_view text) noexcept;

/// The default label of targets that do not count.
inline constexpr std::int64_t kIgnoreIndex = -100;

/// The loss and its settings, with PyTorch's names, definitions and defaults.
struct LossConfig {
  std::optional<LossKind> kind{};  ///< empty: cross_entropy or mse, whichever suits the task
  double huber_delta = 1;          ///< huber: where the square becomes a line
  double label_smoothing = 0;      ///< cross_entropy: the part of a target that all classes share
  std::vector<float> class_weights{};        ///< cross_entropy: of each class; empty: all 1
  std::int64_t ignore_index = kIgnoreIndex;  ///< cross_entropy: the label that does not count
  std::vector<float> quantiles{};            ///< pinball: rising, above 0 and below 1

  bool operator==(const LossConfig&) const = default;

  /// The loss for a task.
  LossKind kind_for(Task task) const noexcept;
  /// What the outputs for each target are, side by side: "q0.1", "q0.5", ... of pinball, "mean",
  /// "scale" and "df" of a distribution. Empty: one output a target, its value.
  std::vector<std::string> output_names() const;
  /// The number of outputs for each target: 1, or as many as they have names.
  std::int64_t outputs_per_target() const noexcept;
  /// Of these outputs the number of the one that forecasts the target: the mean, or the quantile
  /// nearest to the median.
  std::int64_t point() const noexcept;
};

/// Throws InvalidArgument, naming the field, unless the loss suits the task, its settings are in
/// their range and of this loss, class_weights is empty or one a class, and the outputs are as many
/// for each target as the loss asks for.
void validate(const LossConfig& config, Task task, std::int64_t output_size);

}  // namespace quadgate
