#pragma once

#include <cstdint>
#include <span>

#include "engine/model/loss_config.h"

/// The distribution of a target that the head's outputs tell, for the losses gaussian and
/// student_t.
namespace quadgate {

/// A Gaussian, or Student's t with `df` degrees of freedom.
struct Distribution {
  double mean = 0;
  double scale = 1;  ///< standard deviation of a Gaussian
  double df = 0;     ///< above 2, so that there is a variance; 0: a Gaussian
};

/// What softplus is added to for a scale, and for a df.
inline constexpr double kLeastScale = 1e-6;
inline constexpr double kLeastDf = 2;

/// log(1 + exp(x)), without overflow, and its derivative.
double softplus(double x) noexcept;
double softplus_slope(double x) noexcept;

/// That of the outputs: the mean, softplus of the second and kLeastScale as scale, and for
/// student_t that of the third and kLeastDf as df.
Distribution distribution_of(LossKind kind, std::span<const float> outputs) noexcept;

/// The negative logarithm of the density at `target`. `slopes`, unless empty, get its derivatives
/// by the outputs.
double negative_log_likelihood(const Distribution& distribution, std::span<const float> outputs,
                               double target, std::span<double> slopes) noexcept;

/// The probability of at most `value`.
double cumulative(const Distribution& distribution, double value) noexcept;

/// The value below which a target lies with this probability, of above 0 and below 1.
double quantile(const Distribution& distribution, double probability) noexcept;

/// The continuous ranked probability score at `target` (Jordan, Krueger and Lerch 2019).
double crps(const Distribution& distribution, double target) noexcept;

}  // namespace quadgate
