#include "io/model/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/data/covariates.h"
#include "io/files/checksum.h"
#include "io/files/replace_file.h"
#include "io/hdf5/attributes.h"
#include "io/hdf5/file.h"
#include "io/hdf5/file_writer.h"
#include "io/hdf5/formats.h"
#include "io/model/training_state.h"
#include "io/tensors/torch_file.h"

namespace quadgate {
namespace {

/// The newest. Version 2 has models with a normalization or a crf, which older programs leave out.
/// Version 3 has models of data with covariates, version 4 of series that are standardized each by
/// its own.
constexpr std::int64_t kNewestVersion = 4;

std::int64_t version_of(const ModelDescription& model) {
  if (!model.data.series_scales.empty()) return 4;
  if (has_covariates(model.data)) return 3;
  return model.config.normalization.is_on() || model.config.crf ? 2 : 1;
}

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
  file.write_string("", "format", kCheckpointFormat);
  file.write_int("", "format_version", version_of(model));
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

bool is_model_of_others(const std::filesystem::path& path) {
  const std::string kind = path.extension().string();
  return std::ranges::find(kTorchKinds, kind) != kTorchKinds.end() || kind == ".safetensors" ||
         kind == ".onnx" || kind == ".keras";
}

/// Names the way out for a model of another program.
hdf5::File open_hdf5(const std::filesystem::path& path) {
  try {
    return hdf5::File::open(path);
  } catch (const FileError& error) {
    if (!is_model_of_others(path) || !std::filesystem::exists(path)) throw;
    throw FileError(fmt::format("{} ('quadgate import {} -o model.h5' makes a checkpoint of it)",
                                error.what(), path.string()));
  }
}

}  // namespace

void save_model(const std::filesystem::path& path, const ModelDescription& model,
                const Parameters& parameters, std::optional<std::int64_t> epoch) {
  hdf5::FileWriter file = create_checkpoint(path, model, parameters);
  if (epoch) file.write_int("", "epoch", *epoch);
  save(file, {});
}

void save_checkpoint(const std::filesystem::path& path, const ModelDescription& model,
                     const Parameters& parameters, const Optimizer& optimizer,
                     const TrainingState& state) {
  hdf5::FileWriter file = create_checkpoint(path, model, parameters);
  write_optimizer(file, parameters, optimizer);
  write_training_state(file, state);
  save(file, previous_checkpoint(path));
}

std::filesystem::path previous_checkpoint(const std::filesystem::path& path) {
  std::filesystem::path previous = path;
  previous.replace_extension(".prev" + path.extension().string());
  return previous;
}

Checkpoint::Checkpoint(const std::filesystem::path& path) : Checkpoint(open_hdf5(path)) {}

Checkpoint::Checkpoint(hdf5::File file) : file_(std::make_unique<hdf5::File>(std::move(file))) {
  file_->expect_format(kCheckpointFormat, kNewestVersion);
}

Checkpoint::~Checkpoint() = default;
Checkpoint::Checkpoint(Checkpoint&& other) noexcept = default;
Checkpoint& Checkpoint::operator=(Checkpoint&& other) noexcept = default;

const std::filesystem::path& Checkpoint::path() const noexcept { return file_->path(); }

bool Checkpoint::has_description() const { return file_->has_attribute("model", "cell"); }

ModelDescription Checkpoint::description() const { return read_model(*file_); }

std::optional<std::int64_t> Checkpoint::epoch() const {
  if (!file_->has_attribute("", "epoch")) return {};
  return read_count(*file_, "", "epoch");
}

bool Checkpoint::has_head() const { return file_->has("state_dict/head.bias"); }

void Checkpoint::load_parameters(Parameters& parameters) const {
  const std::vector<float> flat = read_tensors(*file_, "state_dict", parameters);
  for (const ParameterSlice& slice : parameters.slices()) {
    expect_finite_tensor(std::span(flat).subspan(slice.offset, slice.size),
                         file_->array("state_dict/" + slice.name).where());
  }
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

TrainingState Checkpoint::training_state() const { return read_training_state(*file_); }

void Checkpoint::load_optimizer(const Parameters& parameters, Optimizer& optimizer) const {
  const std::string_view expected = to_string(optimizer.config().kind);
  if (const std::string found = file_->read_string("optimizer", "kind"); found != expected) {
    throw FileError(fmt::format("{}: expected '{}', found '{}'", file_->where("optimizer", "kind"),
                                expected, found));
  }
  const std::int64_t steps = read_count(*file_, "optimizer", "steps");
  std::vector<std::vector<float>> arrays;
  for (const Optimizer::State& array : optimizer.states()) {
    arrays.push_back(read_tensors(*file_, fmt::format("optimizer/{}", array.name), parameters));
  }
  for (std::size_t i = 0; i < arrays.size(); ++i) optimizer.fill_state(i, arrays[i]);
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
