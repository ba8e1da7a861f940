#include "apps/train/monitor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "apps/common/signals.h"
#include "apps/model/evaluation.h"
#include "engine/base/error.h"
#include "engine/model/crf_batch.h"
#include "io/data/loader.h"
#include "io/files/finite.h"

namespace quadgate::apps {
namespace {

constexpr std::string_view kBits = "bits_per_character";
constexpr std::string_view kCoverage = "coverage_q";

/// The number of that name, if there is one.
template <typename Number>
const Number* find_number(const std::vector<std::pair<std::string, Number>>& numbers,
                          std::string_view name) {
  const auto found = std::ranges::find(numbers, name, &std::pair<std::string, Number>::first);
  return found == numbers.end() ? nullptr : &found->second;
}

/// Characters are counted in the loss of a text unless it is weighted.
bool has_bits(const ModelDescription& model) {
  return model.data.streams && model.config.loss.label_smoothing == 0 &&
         model.config.loss.class_weights.empty();
}

/// What there is to monitor.
std::vector<std::string> monitored_names(const ModelDescription& model, const SplitReport& report) {
  std::vector<std::string> names;
  for (const auto& [name, value] : named_metrics(model, {})) names.push_back(name);
  if (model.data.streams) {
    if (has_bits(model)) names.emplace_back(kBits);
    return names;
  }
  Report told;
  report.tell(told);
  for (const auto& [name, number] : told.numbers) {
    if (name != "season") names.push_back(name);
  }
  // It is not told of no items.
  const bool has_classes = model.config.task != Task::regression;
  if (has_classes && std::ranges::find(names, "roc_auc") == names.end()) {
    names.emplace_back("roc_auc");
  }
  return names;
}

}  // namespace

Monitor::Monitor(std::string name, const ModelDescription& model, Dataset& data,
                 std::span<const std::filesystem::path> paths)
    : name_(std::move(name)), model_(model), split_(data.split("valid")) {
  if (find_number(named_metrics(model, {}), name_) != nullptr) return;
  if (name_ == kBits && has_bits(model)) {
    text_.emplace(model);
    Loader loader(split_, model.data.streams->count);
    for (Batch batch; loader.next(batch);) text_->count(batch);
    return;
  }
  report_.emplace(model, data, split_, paths, SplitReport::Options{});
  const std::vector<std::string> names = monitored_names(model, *report_);
  if (std::ranges::find(names, name_) != names.end()) return;
  throw InvalidArgument(
      fmt::format("train.monitor: expected one of {}, found '{}'", fmt::join(names, ", "), name_));
}

std::optional<double> Monitor::measure(Network& network, std::int64_t rows) const {
  SplitReport report = *report_;
  std::optional<CrfBatch> crf;
  if (model_.config.crf) crf.emplace(network.parameters());
  Loader loader(split_, std::min(rows, split_.size()));
  std::vector<float> outputs;
  for (Batch batch; loader.next(batch);) {
    if (stop_requested()) return {};
    const std::int64_t items = model_.config.task == Task::tagging ? batch.steps() : batch.rows();
    outputs.resize(static_cast<std::size_t>(items * model_.config.output_size));
    network.predict(batch, outputs);
    if (find_not_finite(outputs) >= 0) throw DataError(diverged());
    report.add(batch, outputs, crf ? &*crf : nullptr);
  }
  Report told;
  report.tell(told);
  const ReportNumber* const number = find_number(told.numbers, name_);
  const double* const value = number == nullptr ? nullptr : std::get_if<double>(number);
  if (value != nullptr && !std::isnan(*value)) return *value;
  throw DataError(fmt::format(
      "train.monitor: {} has no value over split 'valid' (evaluate tells null)", name_));
}

double Monitor::of(const Metrics& metrics) const {
  const double value = text_ ? text_->bits_per_character(metrics.loss)
                             : *find_number(named_metrics(model_, metrics), name_);
  if (std::isnan(value)) throw DataError(diverged());
  return value;
}

std::string Monitor::diverged() const {
  return fmt::format(
      "split 'valid': training diverged: expected a number for {}, found none; try a lower lr or "
      "clip_norm",
      name_);
}

double Monitor::badness(double value) const noexcept {
  if (name_.starts_with(kCoverage)) {
    return std::abs(value - std::strtod(name_.c_str() + kCoverage.size(), nullptr));
  }
  return lower_is_better(name_) ? value : -value;
}

bool lower_is_better(std::string_view metric) {
  constexpr std::array<std::string_view, 10> kErrors{
      "loss", "mse", "mae", "mse_raw", "mae_raw", "mase", "smape", "crps", "perplexity", kBits};
  return std::ranges::find(kErrors, metric) != kErrors.end();
}

}  // namespace quadgate::apps
