#include "io/tensors/keras_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "engine/base/error.h"

namespace quadgate::keras {
namespace {

/// Reads the weights of one file.
class WeightsReader {
 public:
  WeightsReader(const hdf5::File& file, const Layers& model,
                const std::map<std::string, std::string>& parts)
      : file_(file), model_(model), parts_(parts) {}

  TensorFile run() {
    result_.metadata = model_.metadata;
    result_.notes = model_.notes;
    expect_parts();
    expect_all_read("vars", 0);
    for (const Layer& layer : model_.layers) {
      layer_ = &layer;
      read();
      if (file_.has(layer.group)) expect_all_read(layer.group, 0);
    }
    for (const auto& [suffix, columns] : without_bias_) {
      if (has_bias_) add_zeros(suffix, columns);
    }
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw FileError(fmt::format("{}: {}{}{}", file_.path().string(),
                                layer_ == nullptr ? "" : layer_->name,
                                layer_ == nullptr ? "" : ": ", reason));
  }

  void read() {
    switch (layer_->type->kind) {
      case Kind::embedding:
        return embedding();
      case Kind::convolution:
        return convolution();
      case Kind::recurrent:
        return recurrent();
      case Kind::pooling:
        result_.metadata[kPoolingKey] = layer_->type->name == "GlobalMaxPooling1D" ? "max" : "mean";
        return;
      case Kind::dense:
        return head();
      case Kind::skipped:
      case Kind::max_pooling:
      case Kind::activation:
        return;
    }
  }

  /// Variable `number` of a group, of so many dimensions.
  std::optional<NamedTensor> variable(const std::string& group, int number,
                                      std::size_t dimensions) {
    const std::string name = fmt::format("{}/vars/{}", group, number);
    if (!file_.has(group + "/vars") || !file_.has(name)) return {};
    const hdf5::Array array = file_.array(name);
    if (array.shape().size() != dimensions) {
      fail(fmt::format("'{}': expected {} dimensions, found {}", name, dimensions,
                       hdf5::shape_text(array.shape())));
    }
    if (array.type_text().find("float") == std::string::npos) {
      fail(fmt::format("'{}': expected floats, found {}", name, array.type_text()));
    }
    read_.insert(name);
    return NamedTensor{.name = name, .shape = array.shape(), .values = array.read_floats()};
  }
  NamedTensor expect_variable(const std::string& group, int number, std::size_t dimensions) {
    auto tensor = variable(group, number, dimensions);
    if (!tensor) fail(fmt::format("dataset '{}/vars/{}': missing", group, number));
    return std::move(*tensor);
  }

  void add(const std::string& name, std::vector<std::int64_t> shape, std::vector<float> values) {
    result_.tensors.push_back(
        {.name = name, .shape = std::move(shape), .values = std::move(values)});
  }
  /// The bias of a layer, zeros where it has none.
  void add_bias(const std::string& group, const std::string& name, std::int64_t size) {
    auto bias = variable(group, 1, 1);
    if (bias && bias->shape.front() != size) {
      fail(fmt::format("bias: expected {} numbers, found {}", size, bias->shape.front()));
    }
    add(name, {size},
        bias ? std::move(bias->values) : std::vector<float>(static_cast<std::size_t>(size)));
  }

  void expect_inputs(std::int64_t found) {
    if (width_ && *width_ != found) {
      fail(fmt::format("expected {} inputs, as what comes before it gives, found {}", *width_,
                       found));
    }
    if (!first_width_) first_width_ = found;
  }

  void embedding() {
    NamedTensor table = expect_variable(layer_->group, 0, 2);
    width_ = table.shape[1];
    add("embedding.weight", table.shape, std::move(table.values));
  }

  void convolution() {
    const NamedTensor kernel = expect_variable(layer_->group, 0, 3);
    const auto& shape = kernel.shape;
    expect_inputs(shape[1]);
    width_ = shape[2];
    channels_ = shape[2];
    add("conv.weight", {shape[2], shape[1], shape[0]},
        turned(kernel.values, static_cast<std::size_t>(shape[0]),
               static_cast<std::size_t>(shape[1]), static_cast<std::size_t>(shape[2])));
    if (kernel.values.empty()) fail("expected a kernel of numbers, found none");
    add_bias(layer_->group, "conv.bias", shape[2]);
  }

  void recurrent() {
    const std::string suffix = fmt::format("_l{}", num_layers_++);
    const bool bidirectional = layer_->type->name == "Bidirectional";
    if (num_layers_ > 1 && bidirectional != is_bidirectional_) {
      fail(fmt::format("expected {}Bidirectional, as the layer before, found another",
                       is_bidirectional_ ? "" : "no "));
    }
    is_bidirectional_ = bidirectional;
    if (bidirectional) {
      direction(layer_->group + "/forward_layer", suffix);
      direction(layer_->group + "/backward_layer", suffix + "_reverse");
    } else {
      direction(layer_->group, suffix);
    }
    width_ = units_ * (bidirectional ? 2 : 1);
  }

  /// Which cell has this many gates.
  Cell cell_of(std::int64_t columns, std::int64_t units) const {
    for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
      if (units > 0 && columns == num_gates(cell) * units) return cell;
    }
    fail(fmt::format("expected 4, 3 or 1 gates of {} units, found {} columns", units, columns));
  }

  void direction(const std::string& group, const std::string& suffix) {
    const NamedTensor kernel = expect_variable(group + "/cell", 0, 2);
    const NamedTensor recurrent = expect_variable(group + "/cell", 1, 2);
    const Cell cell = cell_of(recurrent.shape[1], recurrent.shape[0]);
    if (kernel.shape[1] != recurrent.shape[1]) fail("its two kernels differ in columns");
    if (units_ > 0 && recurrent.shape[0] != units_) {
      fail(fmt::format("expected {} units as in the layer before, found {}", units_,
                       recurrent.shape[0]));
    }
    units_ = recurrent.shape[0];
    expect_inputs(kernel.shape[0]);
    if (!recurrent_width_) recurrent_width_ = kernel.shape[0];
    expect_cell(cell);
    const CellLayout layout = layout_of(cell);
    for (const auto& [weight, from] :
         {std::pair{"weight_ih", &kernel}, std::pair{"weight_hh", &recurrent}}) {
      const auto rows = transposed(from->values, static_cast<std::size_t>(from->shape[0]));
      add(fmt::format("rnn.{}{}", weight, suffix), {from->shape[1], from->shape[0]},
          with_gates(rows, layout, true));
    }
    add_biases(group + "/cell", suffix, cell, layout, recurrent.shape[1]);
  }

  /// All layers have one cell; a configuration tells a SimpleRNN's activation.
  void expect_cell(Cell cell) {
    const auto told = result_.metadata.find(kCellKey);
    const auto known = told == result_.metadata.end() ? cell_ : parse_cell(told->second);
    if (known && num_gates(*known) != num_gates(cell)) {
      fail(fmt::format("expected a cell {} as in the layer before, found {}", to_string(*known),
                       to_string(cell)));
    }
    cell_ = cell;
  }

  void add_biases(const std::string& group, const std::string& suffix, Cell cell,
                  const CellLayout& layout, std::int64_t columns) {
    const bool two = cell == Cell::gru;
    const std::string name = group + "/vars/2";
    if (two && file_.has(name) && file_.array(name).shape().size() == 1) {
      fail("reset_after: expected True, found a bias of a GRU with reset_after=False");
    }
    const auto bias = variable(group, 2, two ? 2 : 1);
    if (!bias) {
      without_bias_.emplace_back(suffix, columns);
      return;
    }
    has_bias_ = true;
    if (std::ssize(bias->values) != (two ? 2 : 1) * columns) {
      fail(fmt::format("expected biases of {} columns", columns));
    }
    const std::span values(bias->values);
    const auto size = static_cast<std::size_t>(columns);
    const std::vector<float> none(size, 0.0F);
    add("rnn.bias_ih" + suffix, {columns}, with_gates(values.first(size), layout, true));
    add("rnn.bias_hh" + suffix, {columns},
        with_gates(two ? std::span<const float>(values.subspan(size)) : none, layout, true));
  }

  /// Where other layers have biases, all have.
  void add_zeros(const std::string& suffix, std::int64_t columns) {
    for (const char* bias : {"rnn.bias_ih", "rnn.bias_hh"}) {
      add(bias + suffix, {columns}, std::vector<float>(static_cast<std::size_t>(columns)));
    }
  }

  void head() {
    const bool wrapped = layer_->type->name == "TimeDistributed";
    const std::string group = layer_->group + (wrapped ? "/layer" : "");
    const NamedTensor kernel = expect_variable(group, 0, 2);
    expect_inputs(kernel.shape[0]);
    expect_behind(kernel.shape[1]);
    add("head.weight", {kernel.shape[1], kernel.shape[0]},
        transposed(kernel.values, static_cast<std::size_t>(kernel.shape[0])));
    add_bias(group, "head.bias", kernel.shape[1]);
    if (wrapped && model_.metadata.empty()) result_.metadata[kTaskKey] = "tagging";
  }

  /// The name in a group of layers: "dense".
  std::string short_name() const { return layer_->group.substr(layer_->group.rfind('/') + 1); }

  /// Without a configuration, a Dense that is the head might also stand where its sizes fit.
  void expect_behind(std::int64_t outputs) const {
    if (!model_.metadata.empty() || parts_.contains(short_name())) return;
    const bool has_table = file_.has("layers/embedding");
    const bool in_front = outputs == *first_width_ && (!has_table || *width_ == *first_width_);
    const bool behind_conv =
        channels_ && *channels_ == *width_ && outputs == recurrent_width_.value_or(0);
    const bool between = num_layers_ > 1 && outputs == *width_;
    if (!in_front && !behind_conv && !between) return;
    fail(
        fmt::format("weights do not tell whether it is behind the recurrent layers or before one "
                    "of them, as [{}, {}] fits both: say --map {}=head, or import the whole "
                    "model, NAME.keras",
                    *width_, outputs, short_name()));
  }

  void expect_parts() const {
    for (const auto& choice : parts_) {
      const bool is_dense = std::ranges::any_of(model_.layers, [&](const Layer& layer) {
        return layer.type->kind == Kind::dense && layer.group.ends_with("/" + choice.first);
      });
      if (is_dense && choice.second == "head") continue;
      fail(fmt::format("--map {}={}: expected a Dense of the file, and head", choice.first,
                       choice.second));
    }
  }

  /// Refuses what nobody has read, but for the seeds of random numbers.
  void expect_all_read(const std::string& group, int depth) const {
    constexpr int kDeepest = 8;
    if (!file_.is_group(group) || depth > kDeepest) return;
    for (const std::string& member : file_.members(group)) {
      const std::string name = group + "/" + member;
      if (member.starts_with("seed_generator") || read_.contains(name)) continue;
      if (!file_.is_group(name)) fail(fmt::format("no layer here has what is in '{}'", name));
      expect_all_read(name, depth + 1);
    }
  }

  const hdf5::File& file_;
  const Layers& model_;
  const std::map<std::string, std::string>& parts_;
  const Layer* layer_ = nullptr;  // that is being read
  TensorFile result_;
  std::set<std::string> read_;                   // names of variables
  std::optional<std::int64_t> width_;            // of a step so far
  std::optional<std::int64_t> first_width_;      // that the first layer behind an embedding takes
  std::optional<std::int64_t> channels_;         // of the convolution
  std::optional<std::int64_t> recurrent_width_;  // that the first recurrent layer takes
  std::optional<Cell> cell_;
  std::int64_t units_ = 0;
  std::int64_t num_layers_ = 0;
  bool is_bidirectional_ = false;
  bool has_bias_ = false;                                           // in some recurrent layer
  std::vector<std::pair<std::string, std::int64_t>> without_bias_;  // suffix and columns of layers
};

}  // namespace

TensorFile read_weights(const hdf5::File& file, const Layers& model,
                        const std::map<std::string, std::string>& parts) {
  return WeightsReader(file, model, parts).run();
}

}  // namespace quadgate::keras
