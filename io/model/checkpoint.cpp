#include "io/model/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/files/checksum.h"
#include "io/files/replace_file.h"
#include "io/hdf5/attributes.h"
#include "io/hdf5/file.h"
#include "io/hdf5/file_writer.h"

namespace quadgate {
namespace {

constexpr const char* kFormat = "quadgate-checkpoint";
constexpr std::int64_t kFormatVersion = 1;

// Writes the slices of a flat array, laid out like the parameters, as one dataset each.
void write_tensors(hdf5::FileWriter& file, const std::string& group, const Parameters& parameters,
                   std::span<const float> flat) {
  file.create_group(group);
  for (const ParameterSlice& slice : parameters.slices()) {
    file.write(group + "/" + slice.name, slice.shape, flat.subspan(slice.offset, slice.size));
  }
}

// Throws, naming all that differs, unless the group has exactly the tensors of `parameters`.
void expect_tensors(const hdf5::File& file, const std::string& group,
                    const Parameters& parameters) {
  std::vector<std::string> found = file.members(group);
  std::vector<std::string> problems;
  for (const ParameterSlice& slice : parameters.slices()) {
    if (std::erase(found, slice.name) == 0) {
      problems.push_back(fmt::format("missing '{}'", slice.name));
      continue;
    }
    const hdf5::Array array = file.array(group + "/" + slice.name);
    if (array.element() != hdf5::Element::float32 || array.shape() != slice.shape) {
      problems.push_back(fmt::format("'{}' expected float32 {}, found {} {}", slice.name,
                                     hdf5::shape_text(slice.shape), array.type_text(),
                                     hdf5::shape_text(array.shape())));
    }
  }
  if (parameters.tied()) std::erase(found, "head.weight");
  for (const std::string& name : found) problems.push_back(fmt::format("unexpected '{}'", name));
  if (!problems.empty()) {
    throw FileError(
        fmt::format("{}: {}: {}", file.path().string(), group, fmt::join(problems, "; ")));
  }
}

// Throws if a tied head.weight is there and is not embedding.weight.
void expect_tied(const hdf5::File& file, const std::string& group, const Parameters& parameters,
                 std::span<const float> flat) {
  if (!file.has(group + "/head.weight")) return;
  const ParameterSlice& slice = parameters.embedding_weight();
  const hdf5::Array head = file.array(group + "/head.weight");
  head.expect(hdf5::Element::float32, {slice.shape[0], slice.shape[1]},
              hdf5::shape_text(slice.shape));
  std::vector<float> values(slice.size);
  head.read(0, slice.shape.front(), values);
  if (!std::ranges::equal(values, flat.subspan(slice.offset, slice.size))) {
    throw FileError(head.where() + ": expected the values of embedding.weight, for tie_weights");
  }
}

// The tensors of a group as a flat array, laid out like the parameters.
std::vector<float> read_tensors(const hdf5::File& file, const std::string& group,
                                const Parameters& parameters) {
  expect_tensors(file, group, parameters);
  std::vector<float> flat(parameters.values().size());
  for (const ParameterSlice& slice : parameters.slices()) {
    file.array(group + "/" + slice.name)
        .read(0, slice.shape.front(), std::span(flat).subspan(slice.offset, slice.size));
  }
  if (parameters.tied()) expect_tied(file, group, parameters, flat);
  return flat;
}

void write_model(hdf5::FileWriter& file, const ModelDescription& model,
                 const Parameters& parameters) {
  file.write_string("", "format", kFormat);
  file.write_int("", "format_version", kFormatVersion);
  file.write_string("", kChecksumAttribute, kChecksumKind);
  file.create_group("model");
  hdf5::ObjectWriter attributes(file, "model");
  write_model_description(attributes, model);
  write_tensors(file, "state_dict", parameters, parameters.values());
  if (parameters.tied()) file.link("state_dict/embedding.weight", "state_dict/head.weight");
}

ModelDescription read_model(const hdf5::File& file) {
  ModelDescription model =
      read_model_description(hdf5::ObjectReader(file, "model"), file.path().string());
  std::int64_t numbers = 0;
  if (file.is_group("state_dict")) {
    for (const std::string& name : file.members("state_dict")) {
      numbers += file.array("state_dict/" + name).size();
    }
  }
  expect_weights(model.config, numbers, file.path().string());
  return model;
}

void write_optimizer(hdf5::FileWriter& file, const Parameters& parameters,
                     const Optimizer& optimizer) {
  file.create_group("optimizer");
  file.write_string("optimizer", "kind", std::string(to_string(optimizer.config().kind)));
  file.write_int("optimizer", "steps", optimizer.steps());
  for (const Optimizer::State& state : optimizer.states()) {
    write_tensors(file, fmt::format("optimizer/{}", state.name), parameters, state.array.span());
  }
}

void write_plateau(hdf5::FileWriter& file, const std::string& name, const Plateau& plateau) {
  file.write_double("training", name + "_best", plateau.best);
  file.write_int("training", name + "_num_bad_epochs", plateau.num_bad_epochs);
}

// As it begins where the file does not have it: files of before there were schedules.
Plateau read_plateau(const hdf5::File& file, const std::string& name) {
  if (!file.has_attribute("training", name + "_best")) return {};
  return {.best = file.read_double("training", name + "_best"),
          .num_bad_epochs = file.read_int("training", name + "_num_bad_epochs")};
}

void write_training(hdf5::FileWriter& file, const TrainingState& state) {
  file.create_group("training");
  file.write_int("training", "epoch", state.epoch);
  file.write_int("training", "batch", state.batch);
  file.write_int("training", "step", state.step);
  file.write_int("training", "seed", std::bit_cast<std::int64_t>(state.seed));
  if (state.best_metric) file.write_double("training", "best_metric", *state.best_metric);
  file.write_int("training", "running_items", state.running.items);
  file.write_double("training", "running_loss", state.running.loss);
  file.write_double("training", "running_weight", state.running.weight);
  file.write_double("training", "running_squared_error", state.running.squared_error);
  file.write_double("training", "running_absolute_error", state.running.absolute_error);
  file.write_int("training", "running_correct", state.running.correct);
  for (const auto& [name, values] : {std::pair{"training/carried_h", &state.carried.h},
                                     {"training/carried_c", &state.carried.c}}) {
    if (!values->empty()) file.write(name, std::array{std::ssize(*values)}, *values);
  }
  file.write_double("training", "lr_scale", state.schedule.lr_scale);
  write_plateau(file, "plateau", state.schedule.plateau);
  write_plateau(file, "early_stopping", state.early_stopping);
  file.write_string("training", "last_metrics", state.last_metrics);
  file.write_string("training", "run_file", state.run_file);
}

std::vector<float> read_carried(const hdf5::File& file, const std::string& name) {
  if (!file.has(name)) return {};
  const hdf5::Array array = file.array(name);
  array.expect(hdf5::Element::float32, {hdf5::kAnySize}, "[states]");
  return array.read_floats();
}

TrainingState read_training(const hdf5::File& file) {
  TrainingState state{
      .epoch = file.read_int("training", "epoch"),
      .batch = file.read_int("training", "batch"),
      .step = file.read_int("training", "step"),
      .seed = std::bit_cast<std::uint64_t>(file.read_int("training", "seed")),
      .best_metric = {},
      .running = {.items = file.read_int("training", "running_items"),
                  .loss = file.read_double("training", "running_loss"),
                  .absolute_error = file.read_double("training", "running_absolute_error"),
                  .correct = file.read_int("training", "running_correct")},
      .carried = {read_carried(file, "training/carried_h"),
                  read_carried(file, "training/carried_c")},
      .schedule = {.lr_scale = file.has_attribute("training", "lr_scale")
                                   ? file.read_double("training", "lr_scale")
                                   : 1,
                   .plateau = read_plateau(file, "plateau")},
      .early_stopping = read_plateau(file, "early_stopping"),
      .last_metrics = file.read_string("training", "last_metrics"),
      .run_file = file.read_string("training", "run_file")};
  // Where they are absent, every item counted once, and the loss was the squared error.
  Metrics& running = state.running;
  running.weight = file.has_attribute("training", "running_weight")
                       ? file.read_double("training", "running_weight")
                       : static_cast<double>(running.items);
  running.squared_error = file.has_attribute("training", "running_squared_error")
                              ? file.read_double("training", "running_squared_error")
                              : running.loss;
  if (file.has_attribute("training", "best_metric")) {
    state.best_metric = file.read_double("training", "best_metric");
  }
  return state;
}

hdf5::FileWriter create_checkpoint(const std::filesystem::path& path, const ModelDescription& model,
                                   const Parameters& parameters) {
  hdf5::FileWriter file = hdf5::FileWriter::create(path, kChecksumSize);
  write_model(file, model, parameters);
  return file;
}

void save(hdf5::FileWriter& file, const std::optional<std::filesystem::path>& previous) {
  const std::span<std::byte> image = file.image();
  write_checksum(image);
  replace_file(file.path(), image, previous);
}

}  // namespace

void save_model(const std::filesystem::path& path, const ModelDescription& model,
                const Parameters& parameters) {
  hdf5::FileWriter file = create_checkpoint(path, model, parameters);
  save(file, {});
}

void save_checkpoint(const std::filesystem::path& path, const ModelDescription& model,
                     const Parameters& parameters, const Optimizer& optimizer,
                     const TrainingState& state) {
  hdf5::FileWriter file = create_checkpoint(path, model, parameters);
  write_optimizer(file, parameters, optimizer);
  write_training(file, state);
  save(file, previous_checkpoint(path));
}

std::filesystem::path previous_checkpoint(const std::filesystem::path& path) {
  std::filesystem::path previous = path;
  previous.replace_extension(".prev" + path.extension().string());
  return previous;
}

Checkpoint::Checkpoint(const std::filesystem::path& path) : Checkpoint(hdf5::File::open(path)) {}

Checkpoint::Checkpoint(hdf5::File file) : file_(std::make_unique<hdf5::File>(std::move(file))) {
  file_->expect_format(kFormat, kFormatVersion);
}

Checkpoint::~Checkpoint() = default;
Checkpoint::Checkpoint(Checkpoint&& other) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&& other) noexcept = default;

const std::filesystem::path& Checkpoint::path() const noexcept { return file_->path(); }

ModelDescription Checkpoint::description() const { return read_model(*file_); }

bool Checkpoint::has_head() const { return file_->has("state_dict/head.bias"); }

void Checkpoint::load_parameters(Parameters& parameters) const {
  const std::vector<float> flat = read_tensors(*file_, "state_dict", parameters);
  ParameterEditor editor = parameters.edit();
  std::ranges::copy(flat, editor.values().begin());
}

void Checkpoint::load_part(Parameters& parameters) const {
  Parameters part(description().config);
  load_parameters(part);
  ParameterEditor editor = parameters.edit();
  for (const ParameterSlice& from : part.slices()) {
    const auto to = std::ranges::find(parameters.slices(), from.name, &ParameterSlice::name);
    if (to == parameters.slices().end() || to->shape != from.shape) {
      const bool known = to != parameters.slices().end();
      throw FileError(fmt::format("{}: state_dict: '{}' expected {}, found {}", path().string(),
                                  from.name, known ? hdf5::shape_text(to->shape) : "none",
                                  hdf5::shape_text(from.shape)));
    }
    std::ranges::copy(part.value(from), editor.value(*to).begin());
  }
}

bool Checkpoint::has_training() const { return file_->has("training"); }

TrainingState Checkpoint::training_state() const { return read_training(*file_); }

void Checkpoint::load_optimizer(const Parameters& parameters, Optimizer& optimizer) const {
  const std::string_view expected = to_string(optimizer.config().kind);
  if (const std::string found = file_->read_string("optimizer", "kind"); found != expected) {
    throw FileError(fmt::format("{}: expected '{}', found '{}'", file_->where("optimizer", "kind"),
                                expected, found));
  }
  const std::int64_t steps = file_->read_int("optimizer", "steps");
  std::vector<std::vector<float>> arrays;
  for (const Optimizer::State& array : optimizer.states()) {
    arrays.push_back(read_tensors(*file_, fmt::format("optimizer/{}", array.name), parameters));
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    std::ranges::copy(arrays[i], optimizer.states()[i].array.span().begin());
  }
  optimizer.set_steps(steps);
}

WholeCheckpoint open_whole_checkpoint(const std::filesystem::path& path) {
  std::string damage;
  const hdf5::File file = [&] {
    try {
      return hdf5::File::open(path);
    } catch (const FileError& error) {
      damage = error.what();
    }
    try {
      return hdf5::File::open(previous_checkpoint(path));
    } catch (const FileError&) {
      throw FileError(damage);
    }
  }();
  // A whole file that holds something else, such as a newer version, is nobody's to replace.
  return {Checkpoint(file), damage};
}

void restore_previous_checkpoint(const std::filesystem::path& path) {
  const std::filesystem::path previous = previous_checkpoint(path);
  if (std::rename(previous.c_str(), path.c_str()) != 0) {
    throw FileError(fmt::format("{}: cannot be written: {}", path.string(),
                                std::generic_category().message(errno)));
  }
}

}  // namespace quadgate
