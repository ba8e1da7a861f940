#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "apps/model/forecast_file.h"

namespace quadgate::apps {

/// Forecasts as one page with plots: of a window its inputs, truth, prediction, baselines and
/// bands, and all windows of a series side by side. It shows some of the windows, evenly spread,
/// which do not overlap, and a note tells of how many. Opens without a network.
class ForecastPage final : public ForecastFile {
 public:
  ForecastPage(std::filesystem::path path, ForecastFormat format);

  bool shows_history() const noexcept override { return true; }
  void add(const Forecast& forecast) override;
  void commit() override;

 private:
  std::size_t most_windows(const Forecast& forecast) const;

  std::filesystem::path path_;
  ForecastFormat format_;
  std::vector<Forecast> shown_;
  std::int64_t added_ = 0;
  std::int64_t apart_ = 0;  // of these: one after the other in their series
  std::int64_t every_ = 1;  // of those: which are shown
  std::int64_t end_ = 0;    // the row behind the last of those
};

}  // namespace quadgate::apps
