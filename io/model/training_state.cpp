#include "io/model/training_state.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/nan.h"
#include "io/files/finite.h"

namespace quadgate {
namespace {

constexpr const char* kTraining = "training";

[[noreturn]] void fail(const hdf5::File& file, const std::string& name, const char* expected,
                       double found) {
  throw FileError(fmt::format("{}: expected {}, found {}", file.where(kTraining, name), expected,
                              without_nan_sign(found)));
}

double read_finite(const hdf5::File& file, const std::string& name) {
  const double value = file.read_double(kTraining, name);
  if (!std::isfinite(value)) fail(file, name, "a finite number", value);
  return value;
}

double read_finite(const hdf5::File& file, const std::string& name, double absent) {
  return file.has_attribute(kTraining, name) ? read_finite(file, name) : absent;
}

double read_lr_scale(const hdf5::File& file) {
  const double scale = read_finite(file, "lr_scale", 1);
  if (scale < 0) fail(file, "lr_scale", "at least 0", scale);
  return scale;
}

void write_plateau(hdf5::FileWriter& file, const std::string& name, const Plateau& plateau) {
  file.write_double(kTraining, name + "_best", plateau.best);
  file.write_int(kTraining, name + "_num_bad_epochs", plateau.num_bad_epochs);
}

// As it begins where the file does not have it: files of before there were schedules.
Plateau read_plateau(const hdf5::File& file, const std::string& name) {
  const std::string best = name + "_best";
  if (!file.has_attribute(kTraining, best)) return {};
  const Plateau plateau{.best = file.read_double(kTraining, best),
                        .num_bad_epochs = read_count(file, kTraining, name + "_num_bad_epochs")};
  if (std::isnan(plateau.best)) fail(file, best, "a loss", plateau.best);
  return plateau;
}

void write_identity(hdf5::FileWriter& file, const DataIdentity& data) {
  file.write_int(kTraining, "data_train_rows", data.train_rows);
  file.write_int(kTraining, "data_valid_rows", data.valid_rows);
  file.write_int(kTraining, "data_checksum", std::bit_cast<std::int64_t>(data.checksum));
}

std::optional<DataIdentity> read_identity(const hdf5::File& file) {
  if (!file.has_attribute(kTraining, "data_checksum")) return {};
  return DataIdentity{
      .train_rows = read_count(file, kTraining, "data_train_rows"),
      .valid_rows = read_count(file, kTraining, "data_valid_rows"),
      .checksum = std::bit_cast<std::uint64_t>(file.read_int(kTraining, "data_checksum"))};
}

std::vector<float> read_carried(const hdf5::File& file, const std::string& name) {
  if (!file.has(name)) return {};
  const hdf5::Array array = file.array(name);
  array.expect(hdf5::Element::float32, {hdf5::kAnySize}, "[states]");
  std::vector<float> states = array.read_floats();
  expect_finite_tensor(states, array.where());
  return states;
}

Metrics read_running(const hdf5::File& file) {
  Metrics running{.items = read_count(file, kTraining, "running_items"),
                  .loss = read_finite(file, "running_loss"),
                  .absolute_error = read_finite(file, "running_absolute_error"),
                  .correct = read_count(file, kTraining, "running_correct")};
  // Where they are absent, every item counted once, and the loss was the squared error.
  running.weight = read_finite(file, "running_weight", static_cast<double>(running.items));
  running.squared_error = read_finite(file, "running_squared_error", running.loss);
  if (running.correct > running.items) {
    fail(file, "running_correct", "at most running_items", static_cast<double>(running.correct));
  }
  return running;
}

}  // namespace

std::int64_t read_count(const hdf5::File& file, const std::string& object,
                        const std::string& name) {
  const std::int64_t count = file.read_int(object, name);
  if (count >= 0) return count;
  throw FileError(
      fmt::format("{}: expected at least 0, found {}", file.where(object, name), count));
}

void expect_finite_tensor(std::span<const float> values, const std::string& where) {
  const std::int64_t bad = find_not_finite(values);
  if (bad < 0) return;
  throw FileError(fmt::format("{}: expected finite numbers, found {} as number {}", where,
                              values[static_cast<std::size_t>(bad)], bad));
}

void write_training_state(hdf5::FileWriter& file, const TrainingState& state) {
  file.create_group(kTraining);
  file.write_int(kTraining, "epoch", state.epoch);
  file.write_int(kTraining, "batch", state.batch);
  file.write_int(kTraining, "step", state.step);
  file.write_int(kTraining, "seed", std::bit_cast<std::int64_t>(state.seed));
  if (state.data) write_identity(file, *state.data);
  if (state.best_metric) file.write_double(kTraining, "best_metric", *state.best_metric);
  if (state.best_loss) file.write_double(kTraining, "best_loss", *state.best_loss);
  if (state.best_epoch) file.write_int(kTraining, "best_epoch", *state.best_epoch);
  file.write_int(kTraining, "running_items", state.running.items);
  file.write_double(kTraining, "running_loss", state.running.loss);
  file.write_double(kTraining, "running_weight", state.running.weight);
  file.write_double(kTraining, "running_squared_error", state.running.squared_error);
  file.write_double(kTraining, "running_absolute_error", state.running.absolute_error);
  file.write_int(kTraining, "running_correct", state.running.correct);
  for (const auto& [name, values] : {std::pair{"training/carried_h", &state.carried.h},
                                     {"training/carried_c", &state.carried.c}}) {
    if (!values->empty()) file.write(name, std::array{std::ssize(*values)}, *values);
  }
  file.write_double(kTraining, "lr_scale", state.schedule.lr_scale);
  write_plateau(file, "plateau", state.schedule.plateau);
  write_plateau(file, "early_stopping", state.early_stopping);
  file.write_string(kTraining, "last_metrics", state.last_metrics);
  file.write_string(kTraining, "run_file", state.run_file);
}

TrainingState read_training_state(const hdf5::File& file) {
  TrainingState state{
      .epoch = read_count(file, kTraining, "epoch"),
      .batch = read_count(file, kTraining, "batch"),
      .step = read_count(file, kTraining, "step"),
      .seed = std::bit_cast<std::uint64_t>(file.read_int(kTraining, "seed")),
      .data = read_identity(file),
      .running = read_running(file),
      .carried = {read_carried(file, "training/carried_h"),
                  read_carried(file, "training/carried_c")},
      .schedule = {.lr_scale = read_lr_scale(file), .plateau = read_plateau(file, "plateau")},
      .early_stopping = read_plateau(file, "early_stopping"),
      .last_metrics = file.read_string(kTraining, "last_metrics"),
      .run_file = file.read_string(kTraining, "run_file")};
  if (file.has_attribute(kTraining, "best_metric")) {
    state.best_metric = file.read_double(kTraining, "best_metric");
  }
  if (file.has_attribute(kTraining, "best_loss")) state.best_loss = read_finite(file, "best_loss");
  if (file.has_attribute(kTraining, "best_epoch")) {
    state.best_epoch = read_count(file, kTraining, "best_epoch");
    if (*state.best_epoch > state.epoch) {
      fail(file, "best_epoch", "at most epoch", static_cast<double>(*state.best_epoch));
    }
  }
  return state;
}

}  // namespace quadgate
