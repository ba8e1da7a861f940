#include "apps/bench/scaling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace quadgate::apps {
namespace {

/// spread_of(value(0), value(1), ...), one for each repeat.
template <typename Value>
Spread spread_over(std::size_t repeats, Value value) {
  std::vector<double> values;
  for (std::size_t i = 0; i < repeats; ++i) {
    values.push_back(value(i));
  }
  return spread_of(std::move(values));
}

std::string threads_of(int threads) {
  return fmt::format("{} thread{}", threads, threads == 1 ? "" : "s");
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double part) {
    const double position = part * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], position - std::floor(position));
  };
  return {quantile(0.5), quantile(0.25), quantile(0.75), values.front(), values.back()};
}

std::string name_of(const ScalingPoint& point, bool with_ranks) {
  if (!with_ranks) return threads_of(point.threads);
  return fmt::format("{} rank{} of {}", point.ranks, point.ranks == 1 ? "" : "s",
                     threads_of(point.threads));
}

void summarize(ScalingPoint& point, std::span<const ScalingSample> samples,
               const ScalingPoint& base, std::span<const ScalingSample> base_samples) {
  const double cores = static_cast<double>(point.cores()) / base.cores();
  const double flops = point.step_flops / base.step_flops;
  const auto over = [&](auto value) {
    return spread_over(samples.size(),
                       [&](std::size_t i) { return value(samples[i], base_samples[i]); });
  };
  using Sample = ScalingSample;
  const auto rate = [&](const Sample& s) { return point.step_flops / s.step_seconds; };
  const auto speed_up = [&](const Sample& s, const Sample& b) {
    return flops * b.step_seconds / s.step_seconds;
  };
  const auto peak_ratio = [](const Sample& s, const Sample& b) { return s.peak / b.peak; };

  point.step_seconds = over([](const Sample& s, const Sample&) { return s.step_seconds; });
  point.rate = over([&](const Sample& s, const Sample&) { return rate(s); });
  point.peak = over([](const Sample& s, const Sample&) { return s.peak; });
  point.peak_share = over([&](const Sample& s, const Sample&) { return rate(s) / s.peak; });
  point.speed_up = over(speed_up);
  point.efficiency = point.speed_up.median / cores;
  point.peak_efficiency = over(peak_ratio).median / cores;
  point.efficiency_over_peak = over([&](const Sample& s, const Sample& b) {
                                 return speed_up(s, b) / peak_ratio(s, b);
                               }).median;
  if (point.communication) {
    point.communication->exchange =
        over([](const Sample& s, const Sample&) { return s.exchange_seconds; });
    point.communication->exposed =
        over([](const Sample& s, const Sample&) { return s.wait_seconds; });
    point.communication->hidden = over([](const Sample& s, const Sample&) {
      return std::max(0.0, s.exchange_seconds - s.wait_seconds);
    });
  }
  if (samples.front().torch_seconds == 0) {
    return;
  }
  point.torch.emplace();
  point.torch->step_seconds = over([](const Sample& s, const Sample&) { return s.torch_seconds; });
  point.torch->speed_up = over(
      [&](const Sample& s, const Sample& b) { return flops * b.torch_seconds / s.torch_seconds; });
  point.torch->ratio =
      over([](const Sample& s, const Sample&) { return s.torch_seconds / s.step_seconds; });
}

std::optional<double> serial_fraction(bool weak, std::span<const double> ratios,
                                      std::span<const double> speed_ups) {
  // Both models are a line in f, y = f x.
  double xy = 0;
  double xx = 0;
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    const double x = weak ? ratios[i] - 1 : 1 - 1 / ratios[i];
    const double y = weak ? ratios[i] - speed_ups[i] : 1 / speed_ups[i] - 1 / ratios[i];
    xy += x * y;
    xx += x * x;
  }
  if (xx == 0) {
    return {};
  }
  return xy / xx;
}

}  // namespace quadgate::apps
