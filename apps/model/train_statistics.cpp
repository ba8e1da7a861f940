#include "apps/model/train_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "engine/metrics/season.h"
#include "io/data/target_rows.h"

namespace quadgate::apps {
namespace {

/// The train split's targets, one series and target after the other.
class TrainRows {
 public:
  TrainRows(std::span<const std::filesystem::path> paths, const DataDescription& data,
            std::string split)
      : paths_(paths),
        data_(data),
        split_(std::move(split)),
        targets_(data.window->targets.size()) {}

  std::size_t targets() const noexcept { return targets_; }

  /// Calls body(place of series and target, value) for every value; those of a place come in order.
  /// Returns the number of series.
  template <typename Body>
  std::int64_t for_each(Body body) const {
    return for_each_target_rows(paths_, split_, data_, [&](const TargetRows& rows) {
      const auto first = static_cast<std::size_t>(rows.series) * targets_;
      for (std::size_t i = 0; i < rows.values.size(); ++i) {
        body(first + i % targets_, rows.values[i]);
      }
    });
  }

 private:
  std::span<const std::filesystem::path> paths_;
  const DataDescription& data_;
  std::string split_;
  std::size_t targets_;
};

/// Of the values of a series and target.
struct Moments {
  std::int64_t count = 0;
  double sum = 0;
  double first = 0;
  double last = 0;

  void add(double value) {
    if (count++ == 0) first = value;
    sum += value;
    last = value;
  }
  double mean_difference() const {
    return count < 2 ? 0 : (last - first) / static_cast<double>(count - 1);
  }
};

std::vector<Moments> moments_of(const TrainRows& rows) {
  std::vector<Moments> moments;
  const std::int64_t series = rows.for_each([&](std::size_t place, double value) {
    if (place >= moments.size())
      moments.resize(place / rows.targets() * rows.targets() + rows.targets());
    moments[place].add(value);
  });
  moments.resize(static_cast<std::size_t>(series) * rows.targets());
  return moments;
}

/// Means of each series, or of all where one has no rows.
std::vector<double> means_of(const std::vector<Moments>& moments, std::size_t targets) {
  std::vector<Moments> all(targets);
  for (std::size_t i = 0; i < moments.size(); ++i) {
    all[i % targets].count += moments[i].count;
    all[i % targets].sum += moments[i].sum;
  }
  std::vector<double> means;
  for (std::size_t i = 0; i < moments.size(); ++i) {
    const Moments& from = moments[i].count > 0 ? moments[i] : all[i % targets];
    means.push_back(from.sum / static_cast<double>(from.count));
  }
  return means;
}

std::optional<std::int64_t> season_of(const TrainRows& rows, const std::vector<Moments>& moments,
                                      std::int64_t input_len) {
  constexpr std::int64_t kLongest = 2000;
  std::int64_t longest = 0;
  for (const Moments& its : moments) longest = std::max(longest, its.count / 3);
  longest = std::min({longest, input_len, kLongest});
  if (longest < 2) return {};
  std::vector<SeasonFinder> finders(rows.targets(), SeasonFinder(longest));
  std::vector<std::optional<std::size_t>> current(rows.targets());  // place of each target
  rows.for_each([&](std::size_t place, double value) {
    const std::size_t target = place % rows.targets();
    if (current[target] != place) {
      finders[target].begin_series(moments[place].mean_difference());
    }
    current[target] = place;
    finders[target].add(value);
  });
  for (std::size_t target = 1; target < finders.size(); ++target) {
    finders.front().join(std::move(finders[target]));
  }
  return finders.front().find();
}

/// Mean absolute differences between values `lag` rows apart.
std::vector<double> scales_of(const TrainRows& rows, std::size_t places, std::int64_t lag) {
  struct Place {
    std::vector<double> last{};  // values, as a ring
    std::int64_t count = 0;
    double sum = 0;
  };
  std::vector<Place> all(places);
  rows.for_each([&](std::size_t i, double value) {
    Place& place = all[i];
    const auto slot = static_cast<std::size_t>(place.count++ % lag);
    if (slot == place.last.size()) {
      place.last.push_back(value);
      return;
    }
    place.sum += std::abs(value - place.last[slot]);
    place.last[slot] = value;
  });
  std::vector<double> scales;
  scales.reserve(all.size());
  for (const Place& place : all) {
    scales.push_back(place.count > lag ? place.sum / static_cast<double>(place.count - lag) : 0);
  }
  return scales;
}

}  // namespace

TrainStatistics measure_train(std::span<const std::filesystem::path> paths,
                              const DataDescription& data, std::optional<std::int64_t> season,
                              const std::string& split) {
  const TrainRows rows(paths, data, split);
  const std::vector<Moments> moments = moments_of(rows);
  TrainStatistics statistics{.season = season};
  statistics.num_series = static_cast<std::int64_t>(moments.size() / rows.targets());
  if (moments.empty()) return statistics;
  statistics.means = means_of(moments, rows.targets());
  if (!season) statistics.season = season_of(rows, moments, data.window->input_len);
  statistics.scales = scales_of(rows, moments.size(), statistics.season.value_or(1));
  return statistics;
}

}  // namespace quadgate::apps
