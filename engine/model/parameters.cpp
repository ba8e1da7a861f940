#include "engine/model/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <new>
#include <numeric>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/random.h"
#include "engine/threads/parallel_tiles.h"

namespace quadgate {
namespace {

/// Weights that a core draws at a time.
constexpr std::size_t kTile = std::size_t{1} << 14;

/// Fills weights of a tensor from its number `first` on, a multiple of 4. `numbers` makes four of
/// them of four random words.
template <typename Numbers>
void draw_weights(std::span<float> weights, std::uint64_t seed, std::size_t tensor,
                  std::size_t first, Numbers numbers) {
  for (std::size_t i = 0; i < weights.size(); i += 4) {
    const std::uint64_t block = (first + i) / 4;
    const auto four = numbers(philox(
        seed, {static_cast<std::uint32_t>(RandomUse::init), static_cast<std::uint32_t>(tensor),
               static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32)}));
    std::copy_n(four.begin(), std::min(four.size(), weights.size() - i),
                weights.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

}  // namespace

double count_parameters(const ModelConfig& config) noexcept {
  const auto number = [](std::int64_t size) { return static_cast<double>(size); };
  const RecurrentConfig& rnn = config.rnn;
  const double directions = number(rnn.num_directions());
  const double features = directions * number(rnn.h_size());
  const auto layer = [&](double inputs) {
    const double rows = number(num_gates(rnn.cell)) * number(rnn.hidden_size);
    return directions * (rows * (inputs + number(rnn.h_size()) + (rnn.bias ? 2 : 0)) +
                         number(rnn.proj_size) * number(rnn.hidden_size));
  };
  double count = layer(number(rnn.input_size)) + number(rnn.num_layers - 1) * layer(features);
  if (config.has_embedding()) {
    count += number(config.embedding.vocabulary_size) * number(config.input_size());
  }
  if (const auto& conv = config.conv) {
    count += number(conv->channels) * (number(conv->input_size) * number(conv->kernel_size) + 1);
  }
  if (config.normalization.is_affine()) count += 2 * number(config.input_size());
  if (config.crf) count += number(config.output_size) * (number(config.output_size) + 2);
  const bool tied = config.embedding.tie_weights;
  return count + number(config.output_size) * ((tied ? 0 : features) + 1);
}

Parameters::Parameters(const ModelConfig& config) : config_(config) {
  if (config.has_embedding()) {
    add("embedding.weight", {config.embedding.vocabulary_size, config.input_size()});
  }
  if (config.normalization.is_affine()) {
    add("norm.affine_weight", {config.input_size()});
    add("norm.affine_bias", {config.input_size()});
  }
  if (const auto& conv = config.conv) {
    add("conv.weight", {conv->channels, conv->input_size, conv->kernel_size});
    add("conv.bias", {conv->channels});
  }
  add_recurrent("rnn.");
  if (config.output_size > 0) {
    if (!tied()) add("head.weight", {config.output_size, config.rnn.output_size()});
    add("head.bias", {config.output_size});
    if (config.crf) {
      add("crf.start_transitions", {config.output_size});
      add("crf.end_transitions", {config.output_size});
      add("crf.transitions", {config.output_size, config.output_size});
    }
  }
  allocate();
}

Parameters::Parameters(const RecurrentConfig& config) : config_{.rnn = config} {
  add_recurrent("");
  allocate();
}

void Parameters::add_recurrent(const std::string& prefix) {
  const RecurrentConfig& rnn = config_.rnn;
  const std::int64_t gates = num_gates(rnn.cell) * rnn.hidden_size;
  for (std::int64_t layer = 0; layer < rnn.num_layers; ++layer) {
    for (std::int64_t direction = 0; direction < rnn.num_directions(); ++direction) {
      const std::string suffix = fmt::format("_l{}{}", layer, direction == 0 ? "" : "_reverse");
      add(prefix + "weight_ih" + suffix, {gates, rnn.layer_input_size(layer)});
      add(prefix + "weight_hh" + suffix, {gates, rnn.h_size()});
      if (rnn.bias) {
        add(prefix + "bias_ih" + suffix, {gates});
        add(prefix + "bias_hh" + suffix, {gates});
      }
      if (rnn.proj_size > 0) {
        add(prefix + "weight_hr" + suffix, {rnn.proj_size, rnn.hidden_size});
      }
    }
  }
}

void Parameters::allocate() {
  values_ = Buffer(end());
  for (const auto& slice : slices_) addresses_.push_back(values_.data() + slice.offset);
}

void Parameters::lie_in(std::span<const float* const> tensors) {
  if (tensors.size() != slices_.size()) {
    throw InvalidArgument(
        fmt::format("weights: expected {} tensors, found {}", slices_.size(), tensors.size()));
  }
  if (config_.rnn.weight_dropout > 0) {
    throw InvalidArgument("weights: expected no weight_dropout, which packs them in every pass");
  }
  std::ranges::copy(tensors, addresses_.begin());
  values_ = Buffer();
  ++version_;
}

std::size_t Parameters::end() const noexcept {
  constexpr std::size_t kLine = 16;  // floats in a cache line
  return slices_.empty()
             ? 0
             : (slices_.back().offset + slices_.back().size + kLine - 1) / kLine * kLine;
}

void Parameters::add(std::string name, std::vector<std::int64_t> shape) {
  ParameterSlice slice{.name = std::move(name), .shape = std::move(shape)};
  slice.offset = end();
  constexpr double kMostFloats = 0x1p48;  // floats, more than any address space holds
  const double size =
      std::accumulate(slice.shape.begin(), slice.shape.end(), 1.0, std::multiplies<>());
  if (size + static_cast<double>(slice.offset) > kMostFloats) throw std::bad_alloc();
  slice.size = static_cast<std::size_t>(size);
  slice.index = slices_.size();
  slices_.push_back(std::move(slice));
}

const ParameterSlice& Parameters::slice(std::string_view name) const {
  const auto found = std::ranges::find(slices_, name, &ParameterSlice::name);
  if (found == slices_.end()) {
    throw InvalidArgument(fmt::format("parameter '{}': the model has none of that name", name));
  }
  return *found;
}

ParameterEditor Parameters::edit() {
  if (values_.span().size() < size()) {
    throw InvalidArgument("weights: expected those of the flat array, found the caller's arrays");
  }
  return ParameterEditor(*this);
}

std::uint64_t Parameters::version() const {
  if (editors_ > 0) {
    throw InvalidArgument("parameters: expected no open editor, found " + std::to_string(editors_));
  }
  return version_;
}

ParameterEditor::~ParameterEditor() {
  if (parameters_ == nullptr) return;
  --parameters_->editors_;
  ++parameters_->version_;
}

/// Initial weights lie in -bound to bound.
float Parameters::initial_bound(std::size_t tensor) const noexcept {
  if (slices_[tensor].name.starts_with("crf.")) return 0.1F;
  return 1.0F / std::sqrt(static_cast<float>(fan_in(tensor)));
}

/// Inputs of a unit of a tensor, as PyTorch counts them for its initial weights.
std::int64_t Parameters::fan_in(std::size_t tensor) const noexcept {
  const std::string_view name = slices_[tensor].name;
  if (name.starts_with("conv.")) return config_.conv->input_size * config_.conv->kernel_size;
  const bool head = name.starts_with("head.") || (tied() && tensor == 0);
  return head ? config_.rnn.output_size() : config_.rnn.hidden_size;
}

void Parameters::initialize(std::uint64_t seed, Arena* arena) {
  struct Tile {
    std::size_t tensor;
    std::size_t first;  // of its weights
  };
  std::vector<Tile> tiles;
  for (std::size_t tensor = 0; tensor < slices_.size(); ++tensor) {
    for (std::size_t i = 0; i < slices_[tensor].size; i += kTile) tiles.push_back({tensor, i});
  }
  ParameterEditor editor = edit();
  const auto fill = [&](std::int64_t index) {
    const auto [tensor, first] = tiles[static_cast<std::size_t>(index)];
    const auto weights = editor.value(slices_[tensor]);
    const auto tile = weights.subspan(first, std::min(kTile, weights.size() - first));
    initialize_tile(tensor, first, seed, tile);
  };
  for_each_index(arena, std::ssize(tiles), fill);
  if (const auto padding = config_.embedding.padding_index; padding && !tied()) {
    const std::int64_t size = config_.input_size();
    std::fill_n(editor.value(embedding_weight()).begin() + *padding * size, size, 0.0F);
  }
}

void Parameters::initialize_tile(std::size_t tensor, std::size_t first, std::uint64_t seed,
                                 std::span<float> tile) const {
  const std::string& name = slices_[tensor].name;
  if (name.starts_with("norm.")) {
    std::ranges::fill(tile, name.ends_with("weight") ? 1.0F : 0.0F);
  } else if (config_.has_embedding() && !tied() && tensor == 0) {
    draw_weights(tile, seed, tensor, first, to_normal_floats);
  } else {
    draw_weights(tile, seed, tensor, first, [bound = initial_bound(tensor)](const auto& words) {
      std::array<float, 4> numbers{};
      std::ranges::transform(words, numbers.begin(), [&](std::uint32_t word) {
        return bound * (2 * to_unit_float(word) - 1);
      });
      return numbers;
    });
  }
}

}  // namespace quadgate
