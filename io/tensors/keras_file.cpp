#include "io/tensors/keras_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/files/replace_file.h"
#include "io/hdf5/file.h"
#include "io/hdf5/file_writer.h"

namespace quadgate {
namespace {

/// What Keras calls a cell, and PyTorch's gates in its order.
struct KerasCell {
  std::string_view layer;
  std::vector<std::size_t> gates;
};

KerasCell keras_cell(Cell cell) {
  switch (cell) {
    case Cell::lstm:
      return {"lstm", {0, 1, 2, 3}};  // i f c o, which are PyTorch's i f g o
    case Cell::gru:
      return {"gru", {1, 0, 2}};  // z r h
    case Cell::rnn_tanh:
    case Cell::rnn_relu:
      break;
  }
  return {"simple_rnn", {0}};
}

/// "lstm", "lstm_1", "lstm_2", ...
std::string numbered(std::string_view name, std::int64_t number) {
  return number == 0 ? std::string(name) : fmt::format("{}_{}", name, number);
}

/// [rows, columns] to [columns, rows].
std::vector<float> transposed(std::span<const float> values, std::size_t rows) {
  const std::size_t columns = rows == 0 ? 0 : values.size() / rows;
  std::vector<float> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    result[i % columns * rows + i / columns] = values[i];
  }
  return result;
}

/// Rows of PyTorch's gates brought into Keras's order, or, if `back`, from it.
std::vector<float> with_gates(std::span<const float> values, const KerasCell& cell, bool back) {
  const std::size_t size = values.size() / cell.gates.size();
  std::vector<float> result(values.size());
  for (std::size_t gate = 0; gate < cell.gates.size(); ++gate) {
    const std::size_t from = back ? gate : cell.gates[gate];
    const std::size_t to = back ? cell.gates[gate] : gate;
    std::ranges::copy(values.subspan(from * size, size),
                      result.begin() + static_cast<std::ptrdiff_t>(to * size));
  }
  return result;
}

/// [a, b, c] to [c, b, a]: Conv1D's kernel is [C, I, K] in PyTorch, [K, I, C] in Keras.
std::vector<float> turned(std::span<const float> values, std::size_t a, std::size_t b,
                          std::size_t c) {
  std::vector<float> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t x = i / (b * c);
    const std::size_t y = i / c % b;
    const std::size_t z = i % c;
    result[(z * b + y) * a + x] = values[i];
  }
  return result;
}

/// Writes one file.
class KerasWriter {
 public:
  KerasWriter(const std::filesystem::path& path, const ModelConfig& model,
              const Parameters& parameters)
      : model_(model),
        parameters_(parameters),
        cell_(keras_cell(model.rnn.cell)),
        file_(hdf5::FileWriter::create(path)) {
    group("layers");
    group("vars");
    if (model_.has_embedding()) {
      const ParameterSlice& table = parameters_.slice("embedding.weight");
      layer("layers/embedding");
      variable("layers/embedding", 0, table.shape, parameters_.value(table));
    }
    if (model_.conv) convolution();
    for (std::int64_t l = 0; l < model_.rnn.num_layers; ++l) recurrent(l);
    head();
  }

  std::span<const std::byte> image() { return file_.image(); }

 private:
  void group(const std::string& name) {
    if (groups_.insert(name).second) file_.create_group(name);
  }
  void layer(const std::string& name) {
    group(name);
    group(name + "/vars");
  }
  void variable(const std::string& layer, int number, std::span<const std::int64_t> shape,
                std::span<const float> values) {
    file_.write(fmt::format("{}/vars/{}", layer, number), shape, values);
  }
  std::span<const float> value(const std::string& name) const {
    return parameters_.value(parameters_.slice(name));
  }

  void convolution() {
    const ParameterSlice& weight = parameters_.slice("conv.weight");
    const auto& shape = weight.shape;
    layer("layers/conv1d");
    variable("layers/conv1d", 0, std::array{shape[2], shape[1], shape[0]},
             turned(parameters_.value(weight), static_cast<std::size_t>(shape[0]),
                    static_cast<std::size_t>(shape[1]), static_cast<std::size_t>(shape[2])));
    variable("layers/conv1d", 1, std::array{shape[0]}, value("conv.bias"));
  }

  void recurrent(std::int64_t number) {
    if (!model_.rnn.bidirectional) {
      direction("layers/" + numbered(cell_.layer, number), fmt::format("_l{}", number));
      return;
    }
    const std::string both = "layers/" + numbered("bidirectional", number);
    layer(both);
    direction(both + "/forward_layer", fmt::format("_l{}", number));
    direction(both + "/backward_layer", fmt::format("_l{}_reverse", number));
  }

  void direction(const std::string& name, const std::string& suffix) {
    layer(name);
    layer(name + "/cell");
    for (const auto& [number, weight] : {std::pair{0, "weight_ih"}, {1, "weight_hh"}}) {
      const ParameterSlice& slice = parameters_.slice("rnn." + std::string(weight) + suffix);
      const auto rows = with_gates(parameters_.value(slice), cell_, false);
      variable(name + "/cell", number, std::array{slice.shape[1], slice.shape[0]},
               transposed(rows, static_cast<std::size_t>(slice.shape[0])));
    }
    if (!model_.rnn.bias) return;
    const auto ih = with_gates(value("rnn.bias_ih" + suffix), cell_, false);
    const auto hh = with_gates(value("rnn.bias_hh" + suffix), cell_, false);
    std::vector<float> bias(ih);
    if (model_.rnn.cell == Cell::gru) {
      bias.insert(bias.end(), hh.begin(), hh.end());
      variable(name + "/cell", 2, std::array{std::int64_t{2}, std::ssize(ih)}, bias);
      return;
    }
    std::ranges::transform(ih, hh, bias.begin(), std::plus<>());
    variable(name + "/cell", 2, std::array{std::ssize(bias)}, bias);
  }

  void head() {
    const ParameterSlice& weight = parameters_.head_weight();
    layer("layers/dense");
    variable("layers/dense", 0, std::array{weight.shape[1], weight.shape[0]},
             transposed(parameters_.value(weight), static_cast<std::size_t>(weight.shape[0])));
    variable("layers/dense", 1, parameters_.head_bias().shape, value("head.bias"));
  }

  const ModelConfig& model_;
  const Parameters& parameters_;
  KerasCell cell_;
  hdf5::FileWriter file_;
  std::set<std::string> groups_;  // that are there
};

/// Reads one file.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : file_(hdf5::File::open(path)) {
    if (!file_.has("layers")) fail("expected the group 'layers' of a Keras file, found none");
  }

  TensorFile run() {
    if (has_layer("embedding")) add("layers/embedding", 0, 2, "embedding.weight");
    if (has_layer("conv1d")) convolution();
    const bool bidirectional = has_layer("bidirectional");
    std::int64_t count = 0;
    for (const char* cell : {"lstm", "gru", "simple_rnn"}) {
      if (has_layer(cell)) count += layers(cell);
    }
    if (bidirectional) count += layers("bidirectional");
    if (count == 0) fail("expected a recurrent layer, found none");
    if (has_layer("dense")) head();
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw FileError(fmt::format("{}: {}", file_.path().string(), reason));
  }
  bool has_layer(const std::string& name) const { return file_.has("layers/" + name); }

  /// Variable `number` of a layer, of so many dimensions.
  std::optional<NamedTensor> variable(const std::string& layer, int number,
                                      std::size_t dimensions) const {
    const std::string name = fmt::format("{}/vars/{}", layer, number);
    if (!file_.has(layer + "/vars") || !file_.has(name)) return {};
    const hdf5::Array array = file_.array(name);
    if (array.shape().size() != dimensions) {
      throw FileError(fmt::format("{}: expected {} dimensions, found {}", array.where(), dimensions,
                                  hdf5::shape_text(array.shape())));
    }
    return NamedTensor{.name = name, .shape = array.shape(), .values = array.read_floats()};
  }
  NamedTensor expect_variable(const std::string& layer, int number, std::size_t dimensions) const {
    auto tensor = variable(layer, number, dimensions);
    if (!tensor) fail(fmt::format("dataset '{}/vars/{}': missing", layer, number));
    return std::move(*tensor);
  }

  void add(const std::string& layer, int number, std::size_t dimensions, const std::string& name) {
    NamedTensor tensor = expect_variable(layer, number, dimensions);
    tensor.name = name;
    result_.tensors.push_back(std::move(tensor));
  }

  void convolution() {
    NamedTensor kernel = expect_variable("layers/conv1d", 0, 3);
    const auto& shape = kernel.shape;
    kernel.values = turned(kernel.values, static_cast<std::size_t>(shape[0]),
                           static_cast<std::size_t>(shape[1]), static_cast<std::size_t>(shape[2]));
    std::ranges::reverse(kernel.shape);
    kernel.name = "conv.weight";
    result_.tensors.push_back(std::move(kernel));
    add("layers/conv1d", 1, 1, "conv.bias");
  }

  void head() {
    NamedTensor kernel = expect_variable("layers/dense", 0, 2);
    kernel.values = transposed(kernel.values, static_cast<std::size_t>(kernel.shape[0]));
    std::ranges::reverse(kernel.shape);
    kernel.name = "head.weight";
    result_.tensors.push_back(std::move(kernel));
    add("layers/dense", 1, 1, "head.bias");
  }

  /// All layers of a kind: name, name_1, ... Returns how many there are.
  std::int64_t layers(const std::string& kind) {
    std::int64_t number = 0;
    for (; has_layer(numbered(kind, number)); ++number) {
      const std::string name = "layers/" + numbered(kind, number);
      const std::string suffix = fmt::format("_l{}", number);
      if (kind != "bidirectional") {
        direction(name, suffix);
        continue;
      }
      direction(name + "/forward_layer", suffix);
      direction(name + "/backward_layer", suffix + "_reverse");
    }
    return number;
  }

  /// Which cell has this many gates.
  Cell cell_of(const std::string& name, std::int64_t columns, std::int64_t units) const {
    for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
      if (units > 0 && columns == num_gates(cell) * units) return cell;
    }
    fail(fmt::format("{}: expected 4, 3 or 1 gates of {} units, found {} columns", name, units,
                     columns));
  }

  void direction(const std::string& name, const std::string& suffix) {
    const NamedTensor kernel = expect_variable(name + "/cell", 0, 2);
    const NamedTensor recurrent = expect_variable(name + "/cell", 1, 2);
    const Cell cell = cell_of(name, recurrent.shape[1], recurrent.shape[0]);
    if (kernel.shape[1] != recurrent.shape[1]) fail(name + ": its two kernels differ in columns");
    const auto [found, is_new] =
        result_.metadata.try_emplace(kCellKey, std::string(to_string(cell)));
    if (!is_new && found->second != to_string(cell)) {
      fail(fmt::format("{}: expected a cell {} as in the layer before", name, found->second));
    }
    const KerasCell order = keras_cell(cell);
    for (const auto& [weight, from] :
         {std::pair{"weight_ih", &kernel}, std::pair{"weight_hh", &recurrent}}) {
      const auto rows = transposed(from->values, static_cast<std::size_t>(from->shape[0]));
      result_.tensors.push_back({.name = fmt::format("rnn.{}{}", weight, suffix),
                                 .shape = {from->shape[1], from->shape[0]},
                                 .values = with_gates(rows, order, true)});
    }
    add_biases(name, suffix, cell, order, recurrent.shape[1]);
  }

  void add_biases(const std::string& name, const std::string& suffix, Cell cell,
                  const KerasCell& order, std::int64_t columns) {
    const bool two = cell == Cell::gru;
    const auto bias = variable(name + "/cell", 2, two ? 2 : 1);
    if (!bias) return;
    if (std::ssize(bias->values) != (two ? 2 : 1) * columns) {
      fail(fmt::format("{}: expected biases of {} columns", name, columns));
    }
    const std::span values(bias->values);
    const auto size = static_cast<std::size_t>(columns);
    const std::vector<float> none(size, 0.0F);
    const auto add = [&](const char* kind, std::span<const float> from) {
      result_.tensors.push_back({.name = fmt::format("rnn.{}{}", kind, suffix),
                                 .shape = {columns},
                                 .values = with_gates(from, order, true)});
    };
    add("bias_ih", values.first(size));
    add("bias_hh", two ? std::span<const float>(values.subspan(size)) : none);
  }

  hdf5::File file_;
  TensorFile result_;
};

}  // namespace

bool is_keras_name(const std::filesystem::path& path) {
  return path.filename().string().ends_with(".weights.h5");
}

TensorFile read_keras_file(const std::filesystem::path& path) { return Reader(path).run(); }

void write_keras_file(const std::filesystem::path& path, const ModelConfig& model,
                      const Parameters& parameters) {
  validate(model);
  if (model.rnn.proj_size > 0) {
    throw InvalidArgument(fmt::format("{}: Keras has no proj_size: expected 0, found {}",
                                      path.string(), model.rnn.proj_size));
  }
  replace_file(path, KerasWriter(path, model, parameters).image());
}

}  // namespace quadgate
