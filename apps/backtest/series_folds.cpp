#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/backtest/fold_plan.h"
#include "engine/base/error.h"
#include "io/prepare/stored_forecast.h"

namespace quadgate::apps {
namespace {

/// The division of all series.
struct SeriesPlan {
  StoredForecast stored;
  std::vector<std::vector<SeriesFold>> folds{};         // by fold and series
  std::vector<std::vector<std::int64_t>> valid_rows{};  // likewise
};

std::string series_text(const RunConfig& config, const StoredSeries& series) {
  const std::string& file = config.data.path.names.at(series.file);
  return series.name.empty() ? file : fmt::format("{}: series '{}'", file, series.name);
}

void expect_series_options(const BacktestArguments& arguments, const std::string& data) {
  const auto refuse = [&](const char* option) {
    throw InvalidArgument(fmt::format(
        "{}: expected none beside series, as {} holds, which folds divide in time", option, data));
  };
  if (arguments.seed) refuse("--seed");
  if (arguments.no_shuffle) refuse("--no-shuffle");
  if (arguments.sliding && arguments.max_train_size) {
    throw InvalidArgument(fmt::format("--max-train-size: expected none beside --sliding, found {}",
                                      *arguments.max_train_size));
  }
}

/// The same test rows for all series, as --test-size says, or equal parts of the shortest.
WalkForward how_of(const RunConfig& config, const BacktestArguments& arguments,
                   const std::vector<StoredSeries>& all) {
  const auto shortest = std::ranges::min_element(all, {}, &StoredSeries::rows);
  const std::int64_t folds = arguments.folds;
  const WalkForward how{
      .folds = folds,
      .test_size = arguments.test_size.value_or(shortest->rows() / (folds + 1)),
      .gap = arguments.gap.value_or(0),
      .max_train_size = arguments.max_train_size,
  };
  if (how.test_size < *config.data.horizon) {
    throw InvalidArgument(fmt::format(
        "{}: expected at least {} rows to test a fold on, as many as data.horizon, found {}{}",
        arguments.test_size ? "--test-size" : "--folds", *config.data.horizon, how.test_size,
        arguments.test_size ? ""
                            : fmt::format(" ({} rows of {} in {} parts)", shortest->rows(),
                                          series_text(config, *shortest), folds + 1)));
  }
  // A comparison that no number can overflow.
  const std::int64_t most = shortest->rows() - 1;
  if (folds > most / how.test_size || how.gap > most - folds * how.test_size) {
    throw DataError(fmt::format(
        "{}: expected more rows than {} folds of {} to test on and a gap of {} take, found {}",
        series_text(config, *shortest), folds, how.test_size, how.gap, shortest->rows()));
  }
  return how;
}

/// Whether a window has its targets in rows [begin, end) and its inputs in no row before `first`.
bool fits(std::int64_t first, std::int64_t begin, std::int64_t end, const Window& window) {
  return std::max(begin - window.input_len, first) + window.input_len + window.horizon <= end;
}

/// Throws DataError unless each part of each fold has a window in some series.
void expect_windows(const RunConfig& config, const SeriesPlan& plan, bool has_valid) {
  const Window window = config.window().value();
  for (std::size_t i = 0; i < plan.folds.size(); ++i) {
    std::array<bool, 3> has{};
    std::array<std::int64_t, 3> most{};
    for (std::size_t series = 0; series < plan.folds[i].size(); ++series) {
      const SeriesFold& fold = plan.folds[i][series];
      const std::int64_t valid = fold.gap - plan.valid_rows[i][series];
      const std::array parts{std::pair{fold.train, valid}, std::pair{valid, fold.gap},
                             std::pair{fold.test, fold.end}};
      for (std::size_t part = 0; part < parts.size(); ++part) {
        const auto& [begin, end] = parts.at(part);
        has.at(part) = has.at(part) || fits(fold.train, begin, end, window);
        most.at(part) = std::max(most.at(part), end - begin);
      }
    }
    for (std::size_t part = 0; part < has.size(); ++part) {
      if (has.at(part) || (part == 1 && !has_valid)) continue;
      constexpr std::array kParts{"train", "valid", "test"};
      throw DataError(fmt::format(
          "{}: fold {}: its {} part has {} rows, too few for a window of data.input_len {} and "
          "data.horizon {} (fewer --folds or a smaller --test-size leave more)",
          config.data_text(), i, kParts.at(part), most.at(part), window.input_len, window.horizon));
    }
  }
}

std::string series_rows_text(const SeriesPlan& plan, std::size_t fold) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < plan.folds[fold].size(); ++i) {
    const SeriesFold& rows = plan.folds[fold][i];
    const std::int64_t valid = rows.gap - plan.valid_rows[fold][i];
    nlohmann::ordered_json& one = all.emplace_back();
    const std::string& name = plan.stored.series()[i].name;
    if (!name.empty()) one["series"] = name;
    one["train"] = {rows.train, valid};
    if (valid < rows.gap) one["valid"] = {valid, rows.gap};
    one["test"] = {rows.test, rows.end};
  }
  return all.dump();
}

}  // namespace

std::int64_t share_of_valid(std::int64_t rows, std::int64_t train, std::int64_t valid) {
  const double share = static_cast<double>(valid) / static_cast<double>(train + valid);
  return std::llround(share * static_cast<double>(rows));
}

FoldPlan plan_series(const RunConfig& config, const Dataset& data,
                     const BacktestArguments& arguments) {
  expect_series_options(arguments, config.data_text());
  const auto plan = std::make_shared<SeriesPlan>(
      SeriesPlan{StoredForecast(config.data_paths(), data.description())});
  const std::vector<StoredSeries>& all = plan->stored.series();
  const WalkForward how = how_of(config, arguments, all);
  std::array<std::int64_t, 3> sizes{};
  for (const StoredSeries& series : all) {
    for (std::size_t i = 0; i < sizes.size(); ++i) sizes.at(i) += series.of_split.at(i);
  }
  plan->folds.resize(static_cast<std::size_t>(how.folds));
  plan->valid_rows.resize(plan->folds.size());
  for (const StoredSeries& series : all) {
    WalkForward its = how;
    if (arguments.sliding) {
      its.max_train_size = series.rows() - how.folds * how.test_size - how.gap;
    }
    const std::vector<SeriesFold> folds = walk_forward(series.rows(), its);
    for (std::size_t i = 0; i < folds.size(); ++i) {
      plan->folds[i].push_back(folds[i]);
      plan->valid_rows[i].push_back(
          share_of_valid(folds[i].gap - folds[i].train, sizes[0], sizes[1]));
    }
  }
  expect_windows(config, *plan, sizes[1] > 0);
  FoldPlan result{
      .text = fmt::format("{} folds, {}; {} rows to test each on", how.folds,
                          arguments.sliding || how.max_train_size ? "sliding" : "expanding",
                          how.test_size),
      .checksum = plan->stored.checksum(),
  };
  if (!plan->stored.end_together()) {
    result.notes.push_back(
        fmt::format("{}: the series end at different times, and each is divided by its own rows: "
                    "one may be trained on times that another is tested on",
                    config.data_text()));
  }
  for (std::size_t i = 0; i < plan->folds.size(); ++i) {
    result.folds.push_back(series_rows_text(*plan, i));
  }
  result.write = [plan](std::size_t fold, const std::filesystem::path& path) {
    plan->stored.write_fold(path, plan->folds[fold], plan->valid_rows[fold]);
  };
  return result;
}

}  // namespace quadgate::apps
