#include "io/data/feature_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace quadgate {

FeatureView::FeatureView(std::span<const std::size_t> columns, const DataDescription& file,
                         const DataDescription& model)
    : row_(columns.size()) {
  const std::size_t num_series =
      std::max({file.series_scales.size(), model.series_scales.size(), std::size_t{1}});
  bool as_the_file = true;
  for (std::size_t series = 0; series < num_series; ++series) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const Feature feature{columns[i], scale_of(file, series, columns[i]),
                            scale_of(model, series, i)};
      as_the_file = as_the_file && columns[i] == i && feature.from == feature.to;
      features_.push_back(feature);
    }
  }
  if (as_the_file) features_.clear();
}

FeatureView::Scale FeatureView::scale_of(const DataDescription& data, std::size_t series,
                                         std::size_t column) {
  if (!data.series_scales.empty()) {
    const SeriesScale& scale = data.series_scales.at(series);
    return {scale.mean[column], scale.std[column]};
  }
  return data.mean.empty() ? Scale{} : Scale{data.mean[column], data.std[column]};
}

bool FeatureView::changes_scale() const {
  return std::ranges::any_of(features_, [](const Feature& each) { return each.from != each.to; });
}

// Values near the model's mean are that far from the file's, of which float32 leaves a half unit.
std::optional<FeatureView::LostDigits> FeatureView::lost_digits() const {
  constexpr double kHalfUnit = std::numeric_limits<float>::epsilon() / 2;
  constexpr double kMostError = 0.1;
  for (std::size_t i = 0; i < features_.size(); ++i) {
    const auto& [column, from, to] = features_[i];
    if (from == to || to == Scale{}) continue;
    const double error = kHalfUnit * std::abs(to.mean - from.mean) / to.std;
    if (error > kMostError) return LostDigits{i / row_.size(), i % row_.size(), error};
  }
  return {};
}

void FeatureView::apply(std::span<float> x, std::size_t series) {
  if (features_.empty()) return;
  const auto features =
      std::span(features_).subspan(features_.size() > row_.size() ? series * row_.size() : 0);
  for (; !x.empty(); x = x.subspan(row_.size())) {
    for (std::size_t i = 0; i < row_.size(); ++i) {
      const auto& [column, from, to] = features[i];
      const auto value = static_cast<double>(x[column]);
      row_[i] = from == to
                    ? x[column]
                    : static_cast<float>((value * from.std + (from.mean - to.mean)) / to.std);
    }
    std::ranges::copy(row_, x.begin());
  }
}

bool is_numbered(const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != std::to_string(i)) return false;
  }
  return true;
}

std::string names_text(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 5;
  const auto shown = std::span(names).first(std::min(names.size(), kShown));
  return fmt::format("{} ({}{})", names.size(), fmt::join(shown, ", "),
                     names.size() > kShown ? ", ..." : "");
}

MatchedNames match_names(const std::vector<std::string>& model,
                         const std::vector<std::string>& file) {
  MatchedNames matched;
  matched.columns.resize(model.size());
  std::iota(matched.columns.begin(), matched.columns.end(), 0U);
  if (model == file) return matched;
  const auto fail = [&](std::string problem) {
    return MatchedNames{.problem = std::move(problem)};
  };
  if (model.size() != file.size()) {
    return fail(fmt::format("{}, found {}", names_text(model), names_text(file)));
  }
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < file.size(); ++i) places.emplace(file[i], i);
  const auto lacked = std::ranges::find_if_not(
      model, [&](const std::string& name) { return places.contains(name); });
  const bool shares_none =
      std::ranges::none_of(model, [&](const std::string& name) { return places.contains(name); });
  if (shares_none && (is_numbered(model) || is_numbered(file))) {
    matched.note =
        is_numbered(file)
            ? fmt::format("has no names: taken to be {}, in this order", names_text(model))
            : fmt::format("the model knows no names: {} taken in this order", names_text(file));
    return matched;
  }
  if (lacked != model.end()) {
    const auto other = std::ranges::find_if(file, [&](const std::string& name) {
      return std::ranges::find(model, name) == model.end();
    });
    return fail(fmt::format("'{}', found none of that name{}", *lacked,
                            other == file.end() ? "" : fmt::format(" but '{}'", *other)));
  }
  if (places.size() < file.size()) {
    return fail(fmt::format("{}, found {}, some twice", names_text(model), names_text(file)));
  }
  for (std::size_t i = 0; i < model.size(); ++i) matched.columns[i] = places.at(model[i]);
  matched.note = fmt::format("come as {}: taken by name", names_text(file));
  return matched;
}

}  // namespace quadgate
