#include "apps/train/training_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/common/host.h"
#include "apps/common/warn.h"
#include "apps/model/evaluation.h"
#include "engine/base/nan.h"

namespace quadgate::apps {
namespace {

/// The loss, and the metric beside it that a progress line shows.
std::string metrics_text(const ModelDescription& model, const Metrics& metrics) {
  const double loss = without_nan_sign(metrics.mean_loss());
  if (model.data.streams) {
    return fmt::format("loss {:.4f}  perplexity {:.2f}", loss, std::exp(loss));
  }
  return model.config.task == Task::regression
             ? fmt::format("loss {:.4f}  mae {:.4f}", loss,
                           without_nan_sign(metrics.mean_absolute_error()))
             : fmt::format("loss {:.4f}  accuracy {:.2f} %", loss,
                           without_nan_sign(100 * metrics.accuracy()));
}

}  // namespace

TrainingReport::TrainingReport(Output output, const Size& size, const RunFolder& folder,
                               const ModelDescription& model)
    : output_(std::move(output)), size_(size), folder_(folder), model_(model) {
  if (output_.progress && host() == nullptr) {
    progress_.emplace(stderr, isatty(STDERR_FILENO) == 1, Clock::now());
  }
}

void TrainingReport::begin_epoch() {
  seconds_ = 0;
  sequences_ = 0;
}

void TrainingReport::add_batch(std::int64_t sequences, double seconds, const TrainingState& state) {
  sequences_ += sequences;
  seconds_ += seconds;
  const auto now = Clock::now();
  if (progress_ && progress_->due(now)) progress_->update(progress_text(state), now);
}

std::string TrainingReport::metrics_line(const Epoch& epoch, const TrainingState& state) const {
  nlohmann::ordered_json record;
  record["epoch"] = state.epoch;
  record["step"] = state.step;
  for (const auto& [name, value] : named_metrics(model_, state.running)) {
    record["train_" + name] = value;
  }
  if (epoch.valid) {
    for (const auto& [name, value] : named_metrics(model_, *epoch.valid)) {
      record["valid_" + name] = value;
    }
    if (!epoch.monitor.empty()) record["valid_" + epoch.monitor] = *epoch.monitored;
  }
  record["seconds"] = seconds_;
  record["data_wait_seconds"] = epoch.data_wait_seconds;
  record["sequences_per_second"] = sequences_per_second();
  record["checkpoint_seconds"] = epoch.checkpoint_seconds;
  record["lr"] = epoch.lr;
  return record.dump();
}

void TrainingReport::finish_epoch(const TrainingState& state, const Metrics& train,
                                  const Epoch& epoch) {
  if (output_.file) folder_.append_metrics(state.last_metrics);
  if (progress_) {
    std::string valid = epoch.valid ? "  valid " + metrics_text(model_, *epoch.valid) : "";
    if (!epoch.monitor.empty())
      valid += fmt::format("  {} {:.4f}", epoch.monitor, *epoch.monitored);
    progress_->finish(fmt::format("epoch {}/{}  {}{}  {:.0f} seq/s", state.epoch, size_.epochs,
                                  metrics_text(model_, train), valid, sequences_per_second()),
                      Clock::now());
  }
  if (output_.json) {
    fmt::print("{}\n", state.last_metrics);
    std::fflush(stdout);
  }
  if (output_.on_epoch) output_.on_epoch(state.last_metrics);
}

void TrainingReport::say_last(const std::string& line) {
  progress_.reset();  // ends its line
  if (output_.progress) tell(line);
}

std::string TrainingReport::progress_text(const TrainingState& state) const {
  const std::int64_t epochs_left = size_.epochs - state.epoch;
  const std::int64_t done = std::min(state.batch * size_.batch_size, size_.sequences);
  const std::int64_t num_batches = (size_.sequences - 1) / size_.batch_size + 1;
  const auto left = static_cast<double>(epochs_left * size_.sequences - done);
  return fmt::format("epoch {}/{}  step {}/{}  {}  {:.0f} seq/s  {} left", state.epoch + 1,
                     size_.epochs, state.batch, num_batches, metrics_text(model_, state.running),
                     sequences_per_second(), duration_text(left / sequences_per_second()));
}

double TrainingReport::sequences_per_second() const {
  constexpr double kShortest = 1e-9;
  return static_cast<double>(sequences_) / std::max(seconds_, kShortest);
}

}  // namespace quadgate::apps
