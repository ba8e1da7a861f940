#include "apps/model/value_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace quadgate::apps {

ValueReport::ValueReport(const ModelConfig& model, const Dataset& data, const Split& split,
                         std::span<const std::filesystem::path> paths,
                         std::optional<std::int64_t> season)
    : split_(split),
      loss_(model),
      units_(data.description(), split, model.target_size()),
      names_(units_.names()),
      is_season_given_(season.has_value()) {
  const DataDescription& description = data.description();
  if (description.window) {
    names_ = description.window->targets;
    horizon_ = static_cast<std::size_t>(description.window->horizon);
    num_series_ = split.num_series();
    baselines_.emplace(data, split, measure_train(paths, description, season));
  }
  add_forecaster("model");
  if (!baselines_) return;
  for (const Baseline baseline : baselines_->kinds()) {
    add_forecaster(std::string(to_string(baseline)));
  }
}

void ValueReport::add_forecaster(std::string name) {
  Errors errors{.name = std::move(name)};
  errors.targets.resize(names_.size());
  errors.steps.resize(horizon_ * names_.size());
  if (num_series_ > 1) errors.series.resize(static_cast<std::size_t>(num_series_) * names_.size());
  errors_.push_back(std::move(errors));
}

void ValueReport::add(const Batch& batch, std::span<const float> outputs) {
  values_.clear();
  for (const float point : loss_.points(outputs)) {
    const std::size_t row = values_.size() / units_.size();
    const std::size_t output = values_.size() % units_.size();
    const OutputUnits& units = units_.of(windows_ + static_cast<std::int64_t>(row));
    values_.push_back(static_cast<double>(point) * units.std[output] + units.mean[output]);
  }
  add_values(values_, batch, errors_.front());
  for (std::size_t i = 1; i < errors_.size(); ++i) {
    const Baseline baseline = baselines_->kinds()[i - 1];
    add_values(baselines_->forecast(baseline, batch, windows_), batch, errors_[i]);
  }
  for (std::int64_t row = 0; row < batch.rows() && num_series_ > 1; ++row) {
    name_series(windows_ + row);
  }
  windows_ += batch.rows();
}

// By its name, or else its number; with both if a series of another file is called the same.
void ValueReport::name_series(std::int64_t window) {
  const std::int64_t series = split_.series(window);
  if (series_.contains(series)) return;
  std::string name = split_.place(window).series;
  if (name.empty()) name = std::to_string(series);
  if (std::ranges::any_of(series_, [&](const auto& other) { return other.second == name; })) {
    name += fmt::format(" ({})", series);
  }
  series_[series] = std::move(name);
}

void ValueReport::add_values(std::span<const double> values, const Batch& batch, Errors& errors) {
  const std::size_t size = units_.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t output = i % size;
    const std::size_t target = output % names_.size();
    const std::int64_t window = windows_ + static_cast<std::int64_t>(i / size);
    const OutputUnits& units = units_.of(window);
    const double truth =
        static_cast<double>(batch.targets[i]) * units.std[output] + units.mean[output];
    const double scale = baselines_ ? baselines_->scale(window, target) : 0;
    errors.targets[target].add(values[i], truth, scale);
    errors.steps[output].add(values[i], truth, scale);
    if (errors.series.empty()) continue;
    const auto series = static_cast<std::size_t>(split_.series(window));
    errors.series[series * names_.size() + target].add(values[i], truth, scale);
  }
}

// 1 - mse / the smallest mse of a baseline there.
std::optional<double> ValueReport::skill(Part part, std::size_t place) const {
  std::optional<double> least;
  for (std::size_t i = 1; i < errors_.size(); ++i) {
    const double mse = (errors_[i].*part)[place].mse();
    least = std::min(mse, least.value_or(mse));
  }
  if (!least || *least == 0) return {};
  return 1 - (errors_.front().*part)[place].mse() / *least;
}

std::vector<ReportNumber> ValueReport::numbers(Part part, std::size_t place) const {
  const ValueErrors& errors = (errors_.front().*part)[place];
  std::vector<ReportNumber> numbers{errors.mse(), errors.mae(), errors.smape(),
                                    number_of(errors.r2())};
  if (!baselines_) return numbers;
  numbers.insert(numbers.begin() + 2, number_of(errors.mase()));
  numbers.push_back(number_of(skill(part, place)));
  return numbers;
}

// The model's errors, a row a thing and target; things are numbered.
ReportTable ValueReport::table(const char* key, const char* by, Part part) const {
  ReportTable table{key, by, {}, {"mse", "mae", "mase", "smape", "r2", "skill"}};
  if (!baselines_) table.columns = {"mse", "mae", "smape", "r2"};
  const bool is_of_targets = part == &Errors::targets;
  const std::size_t targets = names_.size();
  if (!is_of_targets) table.of.emplace_back(by);
  if (is_of_targets || targets > 1) table.of.emplace_back("target");
  for (std::size_t i = 0; i < (errors_.front().*part).size(); ++i) {
    if ((errors_.front().*part)[i].count() == 0) continue;  // a series without windows
    ReportTable::Row row;
    const std::size_t number = i / targets;
    if (part == &Errors::steps) row.names.push_back(std::to_string(number + 1));
    if (part == &Errors::series) row.names.push_back(series_.at(static_cast<std::int64_t>(number)));
    if (is_of_targets || targets > 1) row.names.push_back(names_[i % targets]);
    row.numbers = numbers(part, i);
    table.rows.push_back(std::move(row));
  }
  return table;
}

ReportTable ValueReport::baselines_table() const {
  ReportTable table{"baselines", "baseline", {"baseline"}, {"mse", "mae", "mase", "smape", "r2"}};
  if (names_.size() > 1) table.of.insert(table.of.begin(), "target");
  for (std::size_t target = 0; target < names_.size(); ++target) {
    for (std::size_t i = 1; i < errors_.size(); ++i) {
      const ValueErrors& errors = errors_[i].targets[target];
      ReportTable::Row row{{errors_[i].name},
                           {errors.mse(), errors.mae(), number_of(errors.mase()), errors.smape(),
                            number_of(errors.r2())}};
      if (names_.size() > 1) row.names.insert(row.names.begin(), names_[target]);
      table.rows.push_back(std::move(row));
    }
  }
  table.title = season_text();
  table.is_shown = true;
  return table;
}

std::string ValueReport::season_text() const {
  const TrainStatistics& train = baselines_->train();
  const std::string season =
      !train.season
          ? "no season found in the train split"
          : fmt::format(
                "season {}, {}", *train.season,
                is_season_given_ ? "as given" : "found by the autocorrelation of the train split");
  if (train.num_series > 0) return fmt::format("baselines ({}):", season);
  return fmt::format("baselines ({}no train split of these series: neither mean nor mase):",
                     train.season ? season + "; " : "");
}

// The numbers without a unit, as means over the targets that have them.
void ValueReport::tell_means(Report& report) const {
  const std::size_t targets = names_.size();
  const auto tell = [&](const char* name, auto number) {
    double sum = 0;
    double count = 0;
    for (std::size_t target = 0; target < targets; ++target) {
      const std::optional<double> its = number(target);
      sum += its.value_or(0);
      count += its ? 1 : 0;
    }
    report.numbers.emplace_back(name, count > 0 ? ReportNumber(sum / count) : ReportNumber());
  };
  const std::vector<ValueErrors>& errors = errors_.front().targets;
  if (baselines_) tell("mase", [&](std::size_t i) { return errors[i].mase(); });
  tell("smape", [&](std::size_t i) { return std::optional(errors[i].smape()); });
  tell("r2", [&](std::size_t i) { return errors[i].r2(); });
  if (baselines_) tell("skill", [&](std::size_t i) { return skill(&Errors::targets, i); });
}

void ValueReport::tell(Report& report) const {
  const std::vector<ValueErrors>& errors = errors_.front().targets;
  const auto mean = [&](auto number) {
    double sum = 0;
    for (const ValueErrors& its : errors) sum += number(its);
    return sum / static_cast<double>(errors.size());
  };
  const bool has_units = baselines_ && errors.size() > 1;  // of their own
  if (!has_units) {
    report.numbers.emplace_back("mse_raw", mean([](const auto& its) { return its.mse(); }));
    report.numbers.emplace_back("mae_raw", mean([](const auto& its) { return its.mae(); }));
  }
  tell_means(report);
  if (baselines_) {
    const auto& season = baselines_->train().season;
    report.numbers.emplace_back("season", season ? ReportNumber(*season) : ReportNumber());
  }
  report.tables.push_back(table("targets", "target", &Errors::targets));
  report.tables.back().is_shown = baselines_.has_value();  // to see beside them
  if (!baselines_) return;
  if (has_units) {
    for (const auto& [key, column] : {std::pair("mse_raw", 0), std::pair("mae_raw", 1)}) {
      ReportTable raw{key, "", {"target"}, {""}};
      for (const ReportTable::Row& row : report.tables.front().rows) {
        raw.rows.push_back({row.names, {row.numbers[static_cast<std::size_t>(column)]}});
      }
      report.tables.push_back(std::move(raw));
    }
  }
  report.tables.push_back(baselines_table());
  report.tables.push_back(table("steps", "step", &Errors::steps));
  if (num_series_ > 1) report.tables.push_back(table("series", "series", &Errors::series));
}

}  // namespace quadgate::apps
